use console::Term;

use crate::ui::command::{Manner, Shape, Surface};

use super::look_args::{is_dumb, welcomes_colour};

/// This shape on the stdout and stderr that there are.
pub(super) fn manner(shape: Shape) -> Manner {
    Manner { shape, out: surface(&Term::stdout()), err: surface(&Term::stderr()) }
}

fn surface(on: &Term) -> Surface {
    let terminal = on.is_term();
    Surface { terminal, colour: terminal && !is_dumb() && welcomes_colour() }
}
