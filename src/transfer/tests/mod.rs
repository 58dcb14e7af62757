mod bench;
mod copying;
