//! Misuses that do not compile. The first block is the control: the same names, used rightly.
//!
//! ```
//! use ctkip_core::*;
//! fn run(state: AwaitServerHello, hello: message::ServerHello, rng: &mut getrandom::SysRng) {
//!     let Ok(next) = state.receive(hello, rng) else { return };
//!     let (waiting, _send): (AwaitServerFinished, message::ClientNonce) = (next.state, next.message);
//!     drop(waiting);
//! }
//! fn finish(state: AwaitServerFinished, message: message::ServerFinished) {
//!     let Ok(token) = state.receive(message) else { return };
//!     let (_key, _record): (&TokenKey, &message::TokenRecord) = (token.key(), token.record());
//! }
//! fn confirm(derived: Derived, record: message::TokenRecord) -> message::ServerFinished {
//!     derived.finish(record)
//! }
//! fn same(a: &TokenKey, b: &TokenKey) -> bool { a.matches(b.expose()) }
//! fn show(key: &TokenKey) -> String { format!("{key:?}") }
//! fn go_on(exchange: Exchange, response: wire::WireResponse, rng: &mut getrandom::SysRng) {
//!     let _ = exchange.receive(&response, rng);
//! }
//! ```
//!
//! A state is used twice:
//! ```compile_fail,E0382
//! use ctkip_core::*;
//! fn run(state: AwaitServerHello, hello: message::ServerHello, rng: &mut getrandom::SysRng) {
//!     let _ = state.receive(hello.clone(), rng);
//!     let _ = state.receive(hello, rng);
//! }
//! ```
//!
//! The key is read before the MAC was checked:
//! ```compile_fail,E0599
//! use ctkip_core::*;
//! fn early(state: &AwaitServerFinished) { let _ = state.key(); }
//! ```
//!
//! A state gets a message that it does not wait for:
//! ```compile_fail,E0308
//! use ctkip_core::*;
//! fn wrong(state: AwaitServerFinished, hello: message::ServerHello) { let _ = state.receive(hello); }
//! ```
//!
//! A token is made up:
//! ```compile_fail,E0451
//! use ctkip_core::*;
//! fn forge(key: TokenKey, record: message::TokenRecord) -> Provisioned { Provisioned { key, record } }
//! ```
//!
//! A run is confirmed without the record that the commit returned:
//! ```compile_fail,E0061
//! use ctkip_core::*;
//! fn confirm(derived: Derived) -> message::ServerFinished { derived.finish() }
//! ```
//!
//! A reply is made twice from one derivation:
//! ```compile_fail,E0382
//! use ctkip_core::*;
//! fn twice(derived: Derived, record: message::TokenRecord) {
//!     let _ = derived.finish(record.clone());
//!     let _ = derived.finish(record);
//! }
//! ```
//!
//! Secrets are compared with `==`, copied, or printed:
//! ```compile_fail,E0369
//! fn same(a: &ctkip_core::TokenKey, b: &ctkip_core::TokenKey) -> bool { a == b }
//! ```
//! ```compile_fail,E0308
//! fn copy(a: &ctkip_core::TokenKey) -> ctkip_core::TokenKey { a.clone() }
//! ```
//! ```compile_fail,E0277
//! fn show(a: &ctkip_core::TokenKey) -> String { format!("{a}") }
//! ```
//!
//! An exchange goes on after an error:
//! ```compile_fail,E0382
//! use ctkip_core::*;
//! fn go_on(exchange: Exchange, response: wire::WireResponse, rng: &mut getrandom::SysRng) {
//!     let _ = exchange.receive(&response, rng);
//!     let _ = exchange.receive(&response, rng);
//! }
//! ```
