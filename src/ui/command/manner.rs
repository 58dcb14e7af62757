use super::Surface;

/// How what a command writes is shown, and on what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// In which shape.
    pub shape: Shape,
    /// What stdout is.
    pub out: Surface,
    /// What stderr is.
    pub err: Surface,
}

/// In which shape it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Line by line as it comes.
    Lines {
        /// Whether each begins with its host. Without that, a single host's bytes stay as they are, lines or not.
        prefix: bool,
    },
    /// At the end, equal outputs once.
    Gathered,
    /// At the end, what is different from the output of most hosts.
    Differences,
    /// Objects for a program.
    Json,
}
