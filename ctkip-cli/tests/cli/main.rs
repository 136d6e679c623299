//! The program as a whole: its command lines, its exit statuses, and what it leaves behind.
#![forbid(unsafe_code)]

mod cases;
mod errors;
mod forms;
mod inspect;
mod links;
mod operate;
mod program;
mod provision;
mod saving;
mod secrets;
mod serve;
mod server;
mod stokenrc;
