use std::collections::{BTreeMap, BTreeSet};

use super::vectors::{Vector, vectors};

/// A set of names, in nodeset's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeSet<String>);

impl Names {
    /// How many names these are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this name is one of them.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The names as `nodeset -e` lists them: `node9` before `node10`.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let shapes = shapes(self.0.iter().map(String::as_str));
        shapes.values().flat_map(|shape| shape.vectors().into_iter().flat_map(|vector| shape.list(&vector))).collect()
    }

    /// The names written short, as `nodeset -f` does: `node1`, `node2`, `node3` make `node[1-3]`.
    #[must_use]
    pub fn fold(&self) -> String {
        fold(self.0.iter().map(String::as_str))
    }

    pub(super) fn set(&mut self) -> &mut BTreeSet<String> {
        &mut self.0
    }
}

impl FromIterator<String> for Names {
    fn from_iter<I: IntoIterator<Item = String>>(names: I) -> Self {
        Self(names.into_iter().collect())
    }
}

/// [`Names::fold`] of names in any order and number.
pub(super) fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let shapes = shapes(names);
    let folded = shapes.values().flat_map(|shape| shape.vectors().into_iter().map(|vector| shape.write(&vector)));
    folded.collect::<Vec<_>>().join(",")
}

/// Names that differ in their numbers only: the texts around the numbers, and the numbers of each.
struct Shape<'a> {
    texts: Vec<&'a str>,
    members: BTreeSet<Vec<&'a str>>,
}

/// By what nodeset calls the pattern, `node%s-ib%s`, and sorts by.
fn shapes<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Shape<'a>> {
    let mut shapes: BTreeMap<String, Shape<'a>> = BTreeMap::new();
    for name in names {
        let (texts, numbers) = split_numbers(name);
        let pattern = texts.iter().map(|text| text.replace('%', "%%")).collect::<Vec<_>>().join("%s");
        let shape = shapes.entry(pattern).or_insert_with(|| Shape { texts, members: BTreeSet::new() });
        shape.members.insert(numbers);
    }
    shapes
}

impl<'a> Shape<'a> {
    fn vectors(&self) -> Vec<Vector<'a>> {
        vectors(&self.members)
    }

    fn write(&self, vector: &Vector<'a>) -> String {
        let mut written = String::new();
        for (place, text) in self.texts.iter().enumerate() {
            written.push_str(text);
            match vector.get(place).map(Vec::as_slice) {
                None => {}
                Some([one]) => written.push_str(one),
                Some(several) => {
                    written.push('[');
                    written.push_str(&runs(several));
                    written.push(']');
                }
            }
        }
        written
    }

    fn list(&self, vector: &Vector<'a>) -> Vec<String> {
        let mut names = vec![String::new()];
        for (place, text) in self.texts.iter().enumerate() {
            names.iter_mut().for_each(|name| name.push_str(text));
            if let Some(values) = vector.get(place) {
                names =
                    names.iter().flat_map(|name| values.iter().map(move |value| format!("{name}{value}"))).collect();
            }
        }
        names
    }
}

/// The texts around the numbers of a name, one more than there are numbers.
fn split_numbers(name: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (text, from) = rest.split_at(start);
        let (number, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        texts.push(text);
        numbers.push(number);
        rest = after;
    }
    texts.push(rest);
    (texts, numbers)
}

/// `1`, `2`, `3`, `7` as `1-3,7`; the numbers are sorted by length, then by value.
fn runs(numbers: &[&str]) -> String {
    let mut found: Vec<(&str, &str)> = Vec::new();
    // The width that numbers are padded to since the last run was begun that nodeset looks at.
    let mut padded_to: Option<usize> = None;
    let padding = |number: &str| (number.len() > 1 && number.starts_with('0')).then_some(number.len());
    for number in numbers {
        let other_width = match padded_to {
            Some(width) => number.len() != width,
            None => padding(number).is_some(),
        };
        match found.last_mut() {
            Some((_, last)) if !other_width && follows(last, number) => *last = number,
            last => {
                let ends_a_run = last.is_none_or(|(first, last)| first != last);
                if other_width || ends_a_run {
                    padded_to = padding(number);
                }
                found.push((number, number));
            }
        }
    }
    let write = |(first, last): (&str, &str)| if first == last { first.to_owned() } else { format!("{first}-{last}") };
    found.into_iter().map(write).collect::<Vec<_>>().join(",")
}

/// Whether `next` is one more than `last`; of any length, so by its digits.
fn follows(last: &str, next: &str) -> bool {
    let kept = last.trim_end_matches('9');
    let nines = last.len() - kept.len();
    let zeros = |text: &str| text.len() == nines && text.bytes().all(|b| b == b'0');
    match kept.as_bytes().last() {
        // 99 and 100.
        None => next.strip_prefix('1').is_some_and(zeros),
        Some(digit) => {
            let same = &kept[..kept.len() - 1];
            next.strip_prefix(same).and_then(|rest| rest.strip_prefix(char::from(digit + 1))).is_some_and(zeros)
        }
    }
}
