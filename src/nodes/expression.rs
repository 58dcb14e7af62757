use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fold::Names;
use super::pattern::{NodeSetError, Pattern, operands};
use super::wildcard::matches;

/// clush's algebra of node sets: `node[1-9]!node[3-4]`, `@web&dc1*`.
///
/// `,` adds, `!` takes away, `&` keeps what both have, `^` what one of them has; they are worked off from left to right and
/// none binds closer than another. `@group` stands for the names of a group and `@*` for all that are known; `*` and `?` in
/// a name stand for any text and any character of a known name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    terms: Vec<Term>,
}

/// What groups and wildcards are looked up in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// All names.
    pub names: Vec<String>,
    /// The names in each group.
    pub groups: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    operator: Operator,
    operand: Operand,
    at: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Union,
    Difference,
    Intersection,
    Xor,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operand {
    Names(Pattern),
    Groups(Pattern),
    Masks(Pattern),
}

impl Expression {
    /// The most names that one set may have: more than any fleet, and it bounds what a text can make a machine do.
    pub const MOST: usize = 100_000;

    /// Reads the notation; blanks around an operator do not matter.
    ///
    /// # Errors
    /// When a bracket is not closed, a range is none, or a name is missing beside an operator.
    pub fn parse(text: &str) -> Result<Self, NodeSetError> {
        let read = |(operator, at): (Option<char>, Range<usize>)| {
            let operand = Operand::parse(text, at.clone())?;
            Ok(Term { operator: operator.and_then(Operator::of).unwrap_or(Operator::Union), operand, at })
        };
        let terms = operands(text, |c| Operator::of(c).is_some())?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether it has a group or a wildcard in it.
    #[must_use]
    pub fn needs_known(&self) -> bool {
        self.terms.iter().any(|term| !matches!(term.operand, Operand::Names(_)))
    }

    /// The names that it comes to. A name that is written out need not be known.
    ///
    /// # Errors
    /// When there are more than [`Expression::MOST`] names, a group is not known, or nothing is and it needs that.
    pub fn evaluate(&self, known: Option<&Known>) -> Result<Names, NodeSetError> {
        let mut names = Names::default();
        for term in &self.terms {
            let operand = term.operand.names(known).map_err(|message| NodeSetError::new(message, term.at.clone()))?;
            term.operator.apply(names.set(), operand);
            if names.len() > Self::MOST {
                return Err(NodeSetError::new(too_many(), term.at.clone()));
            }
        }
        Ok(names)
    }
}

impl Known {
    fn group(&self, name: &str) -> Result<&[String], String> {
        if name == "*" {
            return Ok(&self.names);
        }
        self.groups.get(name).map(Vec::as_slice).ok_or_else(|| {
            let groups: Vec<_> = self.groups.keys().take(10).map(|group| format!("@{group}")).collect();
            match (groups.as_slice(), self.groups.len() - groups.len()) {
                ([], _) => format!("there is no group `{name}`, nor any other"),
                (_, 0) => format!("there is no group `{name}`; there are {}", groups.join(", ")),
                (_, more) => format!("there is no group `{name}`; there are {} and {more} more", groups.join(", ")),
            }
        })
    }
}

impl Operator {
    fn of(c: char) -> Option<Self> {
        Some(match c {
            ',' => Self::Union,
            '!' => Self::Difference,
            '&' => Self::Intersection,
            '^' => Self::Xor,
            _ => return None,
        })
    }

    fn apply(self, names: &mut BTreeSet<String>, operand: BTreeSet<String>) {
        match self {
            Self::Union => names.extend(operand),
            Self::Difference => names.retain(|name| !operand.contains(name)),
            Self::Intersection => names.retain(|name| operand.contains(name)),
            Self::Xor => {
                for name in operand {
                    if !names.remove(&name) {
                        names.insert(name);
                    }
                }
            }
        }
    }
}

impl Operand {
    fn parse(text: &str, at: Range<usize>) -> Result<Self, NodeSetError> {
        if text[at.clone()].starts_with('@') {
            let name = at.start + 1..at.end;
            if name.is_empty() {
                return Err(NodeSetError::new("a group's name is missing here", at));
            }
            return Pattern::parse(text, name).map(Self::Groups);
        }
        let pattern = Pattern::parse(text, at)?;
        Ok(if pattern.has_text(|c| c == '*' || c == '?') { Self::Masks(pattern) } else { Self::Names(pattern) })
    }

    fn names(&self, known: Option<&Known>) -> Result<BTreeSet<String>, String> {
        let expand = |pattern: &Pattern| pattern.expand(Expression::MOST).ok_or_else(too_many);
        match (self, known) {
            (Self::Names(pattern), _) => Ok(expand(pattern)?.into_iter().collect()),
            (Self::Groups(_), None) => Err("a group is looked up in an inventory, and there is none".to_owned()),
            (Self::Masks(_), None) => Err("a wildcard is looked up in an inventory, and there is none".to_owned()),
            (Self::Groups(pattern), Some(known)) => {
                let mut names = BTreeSet::new();
                for group in expand(pattern)? {
                    names.extend(known.group(&group)?.iter().cloned());
                }
                Ok(names)
            }
            (Self::Masks(pattern), Some(known)) => {
                let mut left: Vec<&String> = known.names.iter().collect();
                let mut names = BTreeSet::new();
                for mask in expand(pattern)? {
                    names.extend(left.extract_if(.., |name| matches(&mask, name)).cloned());
                }
                Ok(names)
            }
        }
    }
}

fn too_many() -> String {
    format!("more than {} names", Expression::MOST)
}
