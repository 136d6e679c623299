//! `.sdtid` files: XML batches of tokens (docs/spec/securid-token.md section 5).
//!
//! ```
//! use ctkip_token::{Digits, ExpiryDay, Flags, Interval, PinMode, Seed, Serial, Token};
//! use ctkip_token::{Unlock, sdtid};
//!
//! # use core::convert::Infallible;
//! # struct Rng; // every real program passes its operating system's generator
//! # impl rand_core::TryRng for Rng {
//! #     type Error = Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Infallible> { Ok(4) }
//! #     fn try_next_u64(&mut self) -> Result<u64, Infallible> { Ok(4) }
//! #     fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
//! #         to.fill(4);
//! #         Ok(())
//! #     }
//! # }
//! # impl rand_core::TryCryptoRng for Rng {}
//! # let mut rng = Rng;
//! let flags = Flags::new(Digits::default(), Interval::Sixty, PinMode::Add);
//! let expiry = ExpiryDay::from_date("2031-02-28")?;
//! let token = Token::new(Serial::new("467550051505")?, Seed::new([7; 16]), flags, expiry);
//!
//! let password = Unlock { password: Some("correct horse"), ..Unlock::NONE };
//! let options = sdtid::WriteOptions { unlock: password, ..Default::default() };
//! let text = sdtid::write(&token, &options, &mut rng)?;
//!
//! let opened = sdtid::read(&text, &password)?;
//! assert!(opened.password_locked);
//! assert_eq!(opened.token.seed.expose(), token.seed.expose());
//! # Ok::<(), ctkip_token::Error>(())
//! ```

mod batch_key;
mod document;
mod keys;
mod layout;
mod mac;
mod plain;
mod read;
mod template;
#[cfg(test)]
mod tests;
mod value;
mod values;
mod write;

pub use plain::{read_template, write_template};
pub use read::{Batch, read};
pub use write::{WriteOptions, issue, write};

/// The largest sdtid document, in octets.
pub const MAX_DOCUMENT: usize = 16 << 20;

/// The largest serialisation of a header or a token, in octets.
const MAX_SECTION: usize = 64 << 10;

/// What a writer puts into Origin, Dest and Name when it knows nothing.
const NOT_KNOWN: &str = "N/A";
