use super::fold::fold;
use super::pattern::{NodeSetError, Pattern, operands};

/// A list of names written short, as `node[01-20]`, `dc[1-2]n[2-6/2,9]` or `a,b[1-3]`: in the order of its writing, each as
/// often as it is written. [`super::Expression`] has the algebra.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    patterns: Vec<Pattern>,
}

impl NodeSet {
    /// Reads the notation; blanks around a comma do not matter.
    ///
    /// # Errors
    /// When a bracket is not closed, a range is none, or a name is missing between commas.
    pub fn parse(text: &str) -> Result<Self, NodeSetError> {
        let operands = operands(text, |c| c == ',')?;
        let patterns = operands.into_iter().map(|(_, at)| Pattern::parse(text, at)).collect::<Result<_, _>>()?;
        Ok(Self { patterns })
    }

    /// Its names in order, the last bracket counting fastest and repetitions kept; `None` where there are more than `most`.
    #[must_use]
    pub fn expand(&self, most: usize) -> Option<Vec<String>> {
        let mut all = Vec::new();
        for pattern in &self.patterns {
            all.append(&mut pattern.expand(most.saturating_sub(all.len()))?);
        }
        Some(all)
    }

    /// Names folded as `nodeset -f` does: `node1`, `node2`, `node3` make `node[1-3]`; sorted, each name once.
    ///
    /// Reading the result again gives the same names, as long as none has a bracket, an operator or a blank in it.
    #[must_use]
    pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
        fold(names)
    }
}
