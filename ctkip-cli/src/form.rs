//! Tokens in the forms a user can ask for.

use clap::ValueEnum;
use ctkip_token::ctf::{self, Link};
use ctkip_token::stokenrc::StokenRc;
use ctkip_token::{Error, Token, json, sdtid};
use getrandom::SysRng;
use zeroize::Zeroizing;

use crate::args::Form;
use crate::error::Failure;
use crate::input::Locking;

impl Form {
    /// The usual ending of a file in this form.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Sdtid => "sdtid",
            Self::Ctf | Self::Blocks | Self::V3 | Self::Android | Self::Iphone => "txt",
            Self::Qr => "png",
            Self::Json => "json",
            Self::Stokenrc => "stokenrc",
        }
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Refuses to lock what cannot be locked.
    pub(crate) fn check(self, locking: &Locking) -> Result<(), Failure> {
        let locked = locking.password.is_some() || locking.devid.is_some();
        if self == Self::Json && locked {
            return Err(Failure::usage(
                "JSON holds the seed in clear; no password or device id protects it",
                "Choose another form, or leave the password out.",
            ));
        }
        if self != Self::Sdtid && locking.template.is_some() {
            return Err(Failure::usage(
                "a template makes an .sdtid file, and another form was asked for",
                "Leave --template out, or use --to sdtid.",
            ));
        }
        Ok(())
    }

    /// A token in this form, a text that ends in a line feed. A QR code is given as its link.
    pub(crate) fn write(
        self,
        token: &Token,
        locking: &Locking,
    ) -> Result<Zeroizing<String>, Error> {
        let unlock = locking.unlock();
        let numeric = |form| ctf::write(token, form, &unlock);
        let line = match self {
            Self::Sdtid => {
                let template = locking.template.as_deref().map(String::as_str);
                let options = sdtid::WriteOptions { unlock, template };
                return sdtid::write(token, &options, &mut SysRng).map(Zeroizing::new);
            }
            Self::Json => return Ok(json::write(token, json::WithSeed::Yes)),
            Self::Stokenrc => {
                let mut rc = StokenRc::new();
                rc.store(token, None, &unlock, &mut SysRng)?;
                return Ok(rc.to_text());
            }
            Self::V3 => ctf::write_v3(token, Link::Android, &unlock, &mut SysRng),
            Self::Ctf => numeric(ctf::Form::Plain),
            Self::Blocks => numeric(ctf::Form::Blocks),
            Self::Android | Self::Qr => numeric(ctf::Form::Link(Link::Android)),
            Self::Iphone => numeric(ctf::Form::Link(Link::Iphone)),
        };
        let mut line = Zeroizing::new(line?);
        line.push('\n');
        Ok(line)
    }
}
