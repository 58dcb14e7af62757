use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::super::found::{Found, Notes, Place};
use super::super::import_error::ImportError;
use super::super::source::{Source, split_port};
use super::groups::Groups;
use super::host_range;
use super::variables::{Setting, Variables};

/// The hosts of an inventory in YAML.
///
/// # Errors
/// When it is no YAML, or not of an inventory's shape.
pub(in super::super) fn read(source: Source<'_>, notes: &mut Notes) -> Result<Vec<Found>, ImportError> {
    let file: Arc<str> = source.file.to_string_lossy().into();
    let options = serde_saphyr::options! { leading_zero_numbers_as_strings: true };
    let tree: Node = serde_saphyr::from_str_with_options(source.text, options).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let error = error.to_string();
        let told = error.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        ImportError::Syntax { at: place(&file, line), message: format!("not YAML: {told}") }
    })?;
    let mut reader = Reader { file, groups: Groups::default() };
    let top = Place { file: Arc::clone(&reader.file), line: 1 };
    for (name, group) in reader.map(tree, &top, "groups")? {
        reader.group(&name, group)?;
    }
    reader.groups.into_hosts(notes)
}

/// Any YAML, its maps in order.
enum Node {
    Nothing,
    Scalar(String),
    List,
    Map(Vec<(Spanned<String>, Self)>),
}

struct Reader {
    file: Arc<str>,
    groups: Groups,
}

impl Reader {
    fn group(&mut self, name: &Spanned<String>, node: Node) -> Result<(), ImportError> {
        let at = place(&self.file, name.defined.line());
        self.groups.declare(&name.value, &at);
        for (key, part) in self.map(node, &at, "`hosts`, `vars` and `children`")? {
            let at = place(&self.file, key.defined.line());
            match key.value.as_str() {
                "hosts" => {
                    for (host, said) in self.map(part, &at, "hosts, each with a `:`")? {
                        self.hosts(&name.value, &host, said)?;
                    }
                }
                "vars" => {
                    let said = self.variables(part, &at)?;
                    self.groups.add_variables(&name.value, said, &at);
                }
                "children" => {
                    for (child, node) in self.map(part, &at, "groups, each with a `:`")? {
                        self.groups.add_child(&name.value, &child.value, &place(&self.file, child.defined.line()));
                        self.group(&child, node)?;
                    }
                }
                other => {
                    let message = format!("a group has `hosts`, `vars` and `children`, no `{other}`");
                    return Err(ImportError::Syntax { at, message });
                }
            }
        }
        Ok(())
    }

    fn hosts(&mut self, group: &str, pattern: &Spanned<String>, said: Node) -> Result<(), ImportError> {
        let at = place(&self.file, pattern.defined.line());
        let mut said = self.variables(said, &at)?;
        let (hosts, port) = split_port(&pattern.value);
        if let Some(port) = port {
            said.insert("ansible_port".to_owned(), Setting::new(Some(port.to_owned()), at.clone()));
        }
        let hosts = host_range::expand(hosts).map_err(|message| ImportError::Syntax { at: at.clone(), message })?;
        for host in hosts {
            self.groups.add_host(group, &host, &at, said.clone());
        }
        Ok(())
    }

    fn variables(&self, node: Node, at: &Place) -> Result<Variables, ImportError> {
        let variables = self.map(node, at, "variables")?.into_iter().map(|(name, value)| {
            let text = match value {
                Node::Scalar(text) => Some(text),
                Node::Nothing | Node::List | Node::Map(_) => None,
            };
            (name.value, Setting::new(text, place(&self.file, name.defined.line())))
        });
        Ok(variables.collect())
    }

    fn map(&self, node: Node, at: &Place, what: &str) -> Result<Vec<(Spanned<String>, Node)>, ImportError> {
        match node {
            Node::Map(entries) => Ok(entries),
            Node::Nothing => Ok(Vec::new()),
            Node::Scalar(_) | Node::List => {
                Err(ImportError::Syntax { at: at.clone(), message: format!("a map of {what} is expected in it") })
            }
        }
    }
}

fn place(file: &Arc<str>, line: u64) -> Place {
    Place { file: Arc::clone(file), line: usize::try_from(line).unwrap_or(1) }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Nothing)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Scalar(flag.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Scalar(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Scalar(text.to_owned()))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}
