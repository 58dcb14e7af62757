/// What the person or program that reads wants to see, and what it can be shown on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// JSON lines for a program.
    pub json: bool,
    /// Remote output too.
    pub verbose: bool,
    /// Whether stderr is a terminal whose cursor can be moved.
    pub terminal: bool,
    /// Whether colours are welcome; without them nothing moves either, as `NO_COLOR` and its users expect.
    pub colour: bool,
    /// How many columns prose and tables have; `None` where nothing needs to be wrapped, as in a log.
    pub width: Option<u16>,
}

impl Look {
    /// Columns for the libraries that count them in `usize`.
    pub(super) fn columns(self) -> Option<usize> {
        self.width.map(usize::from)
    }

    /// Whether lines may live: on a terminal, and where colour is welcome.
    pub(super) fn is_live(self) -> bool {
        self.terminal && self.colour && !self.json
    }
}
