use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Complaint, Problem, Problems};

/// The file that is being read.
///
/// The tree is walked by hand rather than by serde, which would stop at the first unknown key or wrong type and lose the
/// places of keys.
#[derive(Debug)]
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    pub(super) problems: &'a Problems,
}

/// A table being read. What was asked for is what is known: [`Section::finish`] refuses the rest.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// Dotted, as `cluster.cni`; empty at the top.
    name: String,
    /// Where the table is; its header for `[table]`. `None` where the file has none.
    pub(super) span: Option<Range<usize>>,
    table: Option<&'a DeTable<'a>>,
    asked: Vec<&'static str>,
    source: &'a Source<'a>,
}

/// A value being read.
#[derive(Debug)]
pub(super) struct Item<'a> {
    name: String,
    value: &'a Spanned<DeValue<'a>>,
    source: &'a Source<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn top(table: &'a Spanned<DeTable<'a>>, source: &'a Source<'a>) -> Self {
        Self { name: String::new(), span: None, table: Some(table.get_ref()), asked: Vec::new(), source }
    }

    fn absent(name: String, source: &'a Source<'a>) -> Self {
        Self { name, span: None, table: None, asked: Vec::new(), source }
    }

    /// The value of a key, where there is one.
    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.asked.push(key);
        let value = self.table?.get(key)?;
        Some(Item { name: dotted(&self.name, key), value, source: self.source })
    }

    /// Whether the key is there, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The table of a key; one without keys where there is none.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let item = self.item(key);
        item.and_then(|item| item.section()).unwrap_or_else(|| Section::absent(dotted(&self.name, key), self.source))
    }

    /// A string that `read` understands.
    pub(super) fn parse<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Option<Spanned<T>> {
        self.item(key)?.parse(read)
    }

    /// A list of strings that `read` understands, without those it does not; `None` where the key is not there.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&str) -> Result<T, Complaint>,
    ) -> Option<Vec<Spanned<T>>> {
        Some(self.item(key)?.items().iter().filter_map(|item| item.parse(&read)).collect())
    }

    /// As [`Section::list`], without places; empty where the key is not there.
    pub(super) fn plain_list<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Result<T, Complaint>) -> Vec<T> {
        self.list(key, read).unwrap_or_default().into_iter().map(Spanned::into_inner).collect()
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.item(key)?.flag()
    }

    /// A port number.
    pub(super) fn port(&mut self, key: &'static str) -> Option<u16> {
        self.item(key)?.port()
    }

    /// A key that must be there is not, or has nothing in its list.
    pub(super) fn missing(&self, key: &str, hint: &str) {
        let name = dotted(&self.name, key);
        let mut problem = Problem::new(format!("`{name}` is missing")).hint(hint);
        if self.source.text.trim().is_empty() {
            problem.message = format!("the inventory is empty: `{name}` is missing");
        } else if let Some(value) = self.table.and_then(|table| table.get(key)) {
            problem.message = format!("`{name}` is empty");
            problem = problem.at(value.span(), "");
        } else if let Some(span) = self.span.clone() {
            problem = problem.at(span, "");
        } else if let Some((last, c)) = self.source.text.trim_end().char_indices().next_back() {
            problem = problem.at(last..last + c.len_utf8(), "the file ends without it");
        }
        self.source.problems.add(problem);
    }

    pub(super) fn add(&self, problem: Problem) {
        self.source.problems.add(problem);
    }

    /// Every key that nobody asked for is a problem.
    pub(super) fn finish(self) {
        let Some(table) = self.table else { return };
        for key in table.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref())) {
            let name = dotted(&self.name, key.get_ref());
            self.source.problems.add(
                Problem::new(format!("unknown key `{name}`"))
                    .at(key.span(), "unknown")
                    .hint(self.way_out(key.get_ref())),
            );
        }
    }

    /// What somebody who wrote this unknown key may have meant.
    fn way_out(&self, key: &str) -> String {
        match key {
            "password" => "a password is in no inventory: `-k` asks for it, once for all hosts".to_owned(),
            "user" | "port" | "identities" | "known_hosts" | "jump" if self.name == "hosts" => {
                format!("it is one of ssh's: `ssh = {{ {key} = … }}`")
            }
            _ => suggestion(key, &self.asked),
        }
    }
}

impl<'a> Item<'a> {
    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// A string that `read` understands.
    pub(super) fn parse<T>(&self, read: impl Fn(&str) -> Result<T, Complaint>) -> Option<Spanned<T>> {
        let DeValue::String(text) = self.value.get_ref() else {
            let written = self.source.text.get(self.span()).unwrap_or_default();
            // What would not do in quotes either gets the hint that leads further.
            return self.wrong_so("a string", read(written).err().and_then(|complaint| complaint.hint));
        };
        match read(text) {
            Ok(read) => Some(Spanned::new(self.span(), read)),
            Err(complaint) => {
                self.complain(complaint);
                None
            }
        }
    }

    /// What is wrong with this string, at the bytes it is about where the file has them as they are.
    pub(super) fn complain(&self, complaint: Complaint) {
        let span = complaint.within.and_then(|within| self.place_within(within)).unwrap_or_else(|| self.span());
        let mut problem = Problem::new(format!("`{}`: {}", self.name, complaint.message)).at(span, "");
        problem.hint = complaint.hint;
        self.source.problems.add(problem);
    }

    /// Where bytes of the string lie in the file; `None` where escapes or long quotes move them.
    pub(super) fn place_within(&self, within: Range<usize>) -> Option<Range<usize>> {
        let span = self.span();
        let text = self.value.get_ref().as_str()?;
        let inner = span.start + 1..span.end.checked_sub(1)?;
        (self.source.text.get(inner.clone())? == text && within.end <= text.len() && !within.is_empty())
            .then(|| inner.start + within.start..inner.start + within.end)
    }

    /// A yes or no.
    pub(super) fn flag(&self) -> Option<bool> {
        let DeValue::Boolean(flag) = self.value.get_ref() else { return self.wrong("`true` or `false`") };
        Some(*flag)
    }

    /// Whether this is `false`; anything else is wrong.
    pub(super) fn refused(&self, wanted: &str) -> bool {
        self.value.get_ref().as_bool() == Some(false) || self.wrong::<()>(wanted).is_some()
    }

    /// A port number, 1 to 65535.
    pub(super) fn port(&self) -> Option<u16> {
        let port = self.value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
        port.filter(|port| *port != 0).or_else(|| self.wrong("a port number from 1 to 65535"))
    }

    /// A string, or a number or a yes or no written out.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Some(number.to_string()),
                Err(_) => self.wrong("a number of at most 64 bits"),
            },
            _ => self.wrong("a string or a whole number"),
        }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> Vec<Item<'a>> {
        let DeValue::Array(items) = self.value.get_ref() else {
            self.wrong::<()>("a list");
            return Vec::new();
        };
        items.iter().map(|value| Item { name: self.name.clone(), value, source: self.source }).collect()
    }

    /// Whether this is a single string, for keys that take one in place of a list of one.
    pub(super) fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// A table with keys that are known.
    pub(super) fn section(&self) -> Option<Section<'a>> {
        let DeValue::Table(table) = self.value.get_ref() else { return self.wrong("a table") };
        let (name, span) = (self.name.clone(), Some(self.span()));
        Some(Section { name, span, table: Some(table), asked: Vec::new(), source: self.source })
    }

    /// A table with keys of the user's own, each with the place of the key.
    pub(super) fn entries(&self) -> Vec<(Spanned<&'a str>, Item<'a>)> {
        let DeValue::Table(table) = self.value.get_ref() else {
            self.wrong::<()>("a table");
            return Vec::new();
        };
        table
            .iter()
            .map(|(key, value)| {
                let item = Item { name: dotted(&self.name, key.get_ref()), value, source: self.source };
                (Spanned::new(key.span(), key.get_ref().as_ref()), item)
            })
            .collect()
    }

    pub(super) fn is_empty_list(&self) -> bool {
        self.value.get_ref().as_array().is_some_and(|items| items.is_empty())
    }

    pub(super) fn is_table(&self) -> bool {
        self.value.get_ref().is_table()
    }

    pub(super) fn add(&self, problem: Problem) {
        self.source.problems.add(problem);
    }

    fn wrong<T>(&self, wanted: &str) -> Option<T> {
        self.wrong_so(wanted, None)
    }

    fn wrong_so<T>(&self, wanted: &str, hint: Option<String>) -> Option<T> {
        let value = self.value.get_ref();
        let found = match value {
            DeValue::String(_) => "a string",
            DeValue::Integer(number) if wanted.starts_with("a port") => &format!("{number}"),
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(true) if wanted.ends_with("`false`") && !wanted.starts_with('`') => "`true`",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date or a time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let mut problem = Problem::new(format!("`{}` wants {wanted}, not {found}", self.name))
            .at(self.span(), format!("not {wanted}"));
        let written = self.source.text.get(self.span()).unwrap_or_default();
        match value {
            DeValue::Integer(_) | DeValue::Float(_) if hint.is_some() => problem.hint = hint,
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) if wanted == "a string" => {
                problem = problem.hint(format!("put it in quotes: \"{written}\""));
            }
            DeValue::Table(_) if self.name == "hosts" => {
                problem = problem.hint("it takes two pairs of brackets: [[hosts]]")
            }
            DeValue::String(_) if self.name == "cluster.cni" => {
                problem = problem.hint(format!("write `cni = {{ plugin = {written} }}`"))
            }
            DeValue::String(_) if wanted == "a list" => {
                problem = problem.hint(format!("put it in brackets: [{written}]"))
            }
            _ => {}
        }
        self.source.problems.add(problem);
        None
    }
}

fn dotted(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

/// What somebody who wrote `word` may have meant, or else all there is.
pub(super) fn suggestion(word: &str, known: &[&str]) -> String {
    let near = |candidate: &&&str| strsim::damerau_levenshtein(word, candidate) <= 1 + candidate.len() / 4;
    match known.iter().filter(near).min_by_key(|candidate| strsim::damerau_levenshtein(word, candidate)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known are {}", known.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")),
    }
}
