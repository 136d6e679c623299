//! Secret octet strings: wiped on drop, hidden in `Debug`, compared in constant time.

use alloc::vec::Vec;
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// The octets are wiped when the value is dropped and never shown by `Debug`. There is no
        /// `Clone`, `PartialEq` or `Display`: copying is explicit ([`Self::expose`]), comparing is
        /// constant-time ([`Self::matches`]).
        pub struct $name(Zeroizing<Vec<u8>>);

        impl $name {
            /// Takes ownership of the octets.
            #[must_use]
            pub fn new(octets: Vec<u8>) -> Self {
                Self(Zeroizing::new(octets))
            }

            /// The octets themselves. Wipe whatever copy is made of them.
            #[must_use]
            pub fn expose(&self) -> &[u8] {
                &self.0
            }

            /// Whether `other` holds the same octets, in time that depends on the lengths alone.
            #[must_use]
            pub fn matches(&self, other: &[u8]) -> bool {
                self.0.as_slice().ct_eq(other).into()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(hidden)"))
            }
        }
    };
}

secret! {
    /// R_C, the nonce of 16 octets that the client makes and sends encrypted; the PRF key from
    /// which K_TOKEN comes (RFC 4758 section 3.3).
    SecretNonce
}
secret! {
    /// K_TOKEN, the key both sides derive: the secret of the new token, 16 octets for SecurID-AES
    /// (RFC 4758 section 3.5).
    TokenKey
}
secret! {
    /// K_AUTH, the key under which the server's MACs are made when a key is replaced (RFC 4758
    /// sections 3.8.4 and 3.8.6). The PRF over AES wants 16 octets.
    AuthKey
}
secret! {
    /// K_SHARED, the key that client and server share in the shared-secret variant (RFC 4758
    /// section 3.6). The PRF over AES wants 16 octets.
    SharedKey
}
secret! {
    /// The code that entitles its bearer to one token, as UTF-8. It travels beside the protocol,
    /// in the SOAP binding (`docs/spec/deployed-profile.md` section 3).
    ActivationCode
}

impl ActivationCode {
    /// The code as text, if it is UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        core::str::from_utf8(self.expose()).ok()
    }
}
