//! The server's side of HTTP, over sockets: what was recorded, bad input, and limits.

mod hostile;
mod limits;
mod recorded;
mod runs;
