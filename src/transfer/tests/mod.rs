mod bench;
mod copying;
mod fetching;
mod hostile;
mod meanwhile;
