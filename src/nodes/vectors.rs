use std::cmp::Reverse;
use std::collections::BTreeSet;

/// The same texts around several numbers: of each vector every combination of its values is a member, one list of values a
/// place.
pub(super) type Vector<'a> = Vec<Vec<&'a str>>;

/// Members with several numbers, put together to few vectors, in just the way and the order in which ClusterShell's
/// `RangeSetND` does it (`_fold_multivariate`): what one sees in nodeset's output one sees in kfleet's.
pub(super) fn vectors<'a>(members: &BTreeSet<Vec<&'a str>>) -> Vec<Vector<'a>> {
    let dimensions = members.first().map_or(0, Vec::len);
    let axes: Vec<Axis<'a>> = (0..dimensions).map(|place| Axis::of(members.iter().map(|m| m[place]))).collect();
    let product = axes.iter().fold(1_usize, |product, axis| product.saturating_mul(axis.values.len()));
    if product == members.len() {
        return vec![axes.into_iter().map(|axis| axis.values).collect()];
    }
    let single = |member: &Vec<&str>| member.iter().zip(&axes).map(|(value, axis)| vec![axis.rank(value)]).collect();
    let mut ranked: Vec<Ranked> = members.iter().map(single).collect();
    // Neighbours first, which most often suffices; then each with each, until nothing changes.
    let mut each = false;
    loop {
        ranked.sort_by_cached_key(|vector| order(vector, &axes));
        let before = ranked.len();
        ranked = merge(ranked, each);
        if ranked.len() == before {
            if each {
                break;
            }
            each = true;
        }
    }
    ranked.into_iter().map(|vector| vector.iter().zip(&axes).map(|(ranks, axis)| axis.named(ranks)).collect()).collect()
}

/// A vector by the ranks of its values, lowest first.
type Ranked = Vec<Vec<u32>>;

/// All values at one place.
struct Axis<'a> {
    /// The shorter first, then by value.
    values: Vec<&'a str>,
    /// Of each value its rank by the alphabet, which `10` comes before `9` in.
    alphabetical: Vec<u32>,
}

impl<'a> Axis<'a> {
    fn of(values: impl Iterator<Item = &'a str>) -> Self {
        let mut values: Vec<&str> = values.collect();
        values.sort_unstable_by_key(|value| (value.len(), *value));
        values.dedup();
        let mut by_alphabet: Vec<usize> = (0..values.len()).collect();
        by_alphabet.sort_unstable_by_key(|at| values[*at]);
        let mut alphabetical = vec![0; values.len()];
        for (rank, at) in (0_u32..).zip(by_alphabet) {
            alphabetical[at] = rank;
        }
        Self { values, alphabetical }
    }

    fn rank(&self, value: &str) -> u32 {
        let at = self.values.partition_point(|other| (other.len(), *other) < (value.len(), value));
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    fn named(&self, ranks: &[u32]) -> Vec<&'a str> {
        ranks.iter().filter_map(|rank| self.values.get(*rank as usize).copied()).collect()
    }

    fn alphabetical(&self, rank: Option<&u32>) -> Option<u32> {
        self.alphabetical.get(*rank? as usize).copied()
    }
}

type Order = (Reverse<usize>, Vec<(Reverse<usize>, Option<u32>, Option<u32>)>);

/// Those with more members first, then those with more values at the first place, and so on.
fn order(vector: &Ranked, axes: &[Axis<'_>]) -> Order {
    let count = vector.iter().fold(1_usize, |count, ranks| count.saturating_mul(ranks.len()));
    let by_place = vector
        .iter()
        .zip(axes)
        .map(|(ranks, axis)| (Reverse(ranks.len()), axis.alphabetical(ranks.first()), axis.alphabetical(ranks.last())));
    (Reverse(count), by_place.collect())
}

/// One pass over all: each takes in those after it that differ from it in one place; `each` looks beyond the first that
/// does not.
fn merge(vectors: Vec<Ranked>, each: bool) -> Vec<Ranked> {
    let mut left: Vec<Option<Ranked>> = vectors.into_iter().map(Some).collect();
    let mut merged = Vec::new();
    for first in 0..left.len() {
        let Some(mut vector) = left[first].take() else { continue };
        for other in &mut left[first + 1..] {
            let Some(candidate) = other else { continue };
            if take_in(&mut vector, candidate) {
                *other = None;
            } else if !each {
                break;
            }
        }
        merged.push(vector);
    }
    merged
}

/// Makes one of two where they differ in one place at most, and there have nothing in common or one has all of the other's.
fn take_in(vector: &mut Ranked, other: &Ranked) -> bool {
    let mut places = (0..vector.len()).filter(|place| vector[*place] != other[*place]);
    let (Some(place), None) = (places.next(), places.next()) else { return *vector == *other };
    let (mine, theirs) = (&vector[place], &other[place]);
    let mut union: Vec<u32> = mine.iter().chain(theirs).copied().collect();
    union.sort_unstable();
    union.dedup();
    let apart = union.len() == mine.len() + theirs.len();
    let nested = union.len() == mine.len().max(theirs.len());
    if apart || nested {
        vector[place] = union;
    }
    apart || nested
}
