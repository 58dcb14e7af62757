//! Facts in, what is to be done out.

mod from_scratch;
mod openings;
mod reinit;
mod restore;
mod sample;
mod undo;
mod up;
