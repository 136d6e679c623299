//! What the MACs and the signature of an sdtid file cover (docs/spec/securid-token.md sections
//! 5.4 and 5.8).

use std::{borrow::Cow, string::String, vec::Vec};

use super::MAX_SECTION;
use crate::Error;

/// An element without element children, with the names that lead to it.
pub(super) struct Leaf<'a> {
    /// Names from the section down, joined by `.`.
    pub(super) path: String,
    /// The content, untrimmed.
    pub(super) value: Cow<'a, str>,
}

impl Leaf<'_> {
    /// The element's own name.
    pub(super) fn own_name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }

    fn line(&self) -> Vec<u8> {
        let own_name = self.own_name();
        let line = if self.value.is_empty() {
            [&self.path, " </", own_name, ">\n"].concat()
        } else {
            [&self.path, " ", &*self.value, "\n"].concat()
        };
        line.into_bytes()
    }
}

/// Whether elements of this name take no part in a MAC.
pub(super) fn is_mac(name: &str) -> bool {
    name.len() > 3 && name.ends_with("MAC")
}

/// The octets that HeaderMAC or TokenMAC covers, given the leaves but for MACs: one line a leaf, each followed by as many zero octets as the
/// position before it asked for. A short line goes back over the end of the one before.
#[expect(clippy::arithmetic_side_effects, reason = "all sums stay below the buffer's length")]
pub(super) fn serialise(leaves: &[Leaf<'_>]) -> Result<Vec<u8>, Error> {
    let mut buffer = Vec::new();
    let (mut position, mut padding) = (0, 0);
    for leaf in leaves {
        let line = leaf.line();
        if !leaf.value.is_empty() && line.len() + padding <= 16 {
            position -= position % 16;
        }
        let (text_end, end) = (position + line.len(), position + line.len() + padding);
        if end >= MAX_SECTION {
            return Err(too_large());
        }
        buffer.resize(end, 0);
        if let Some(place) = buffer.get_mut(position..text_end) {
            place.copy_from_slice(&line);
        }
        if let Some(place) = buffer.get_mut(text_end..end) {
            place.fill(0);
        }
        position = end;
        padding = match position % 16 {
            0 => 16,
            rest => rest,
        };
    }
    Ok(buffer)
}

/// The octets that BatchSignature covers: all lines, MAC elements included, end to end.
pub(super) fn signature_input<'a>(leaves: impl IntoIterator<Item = Leaf<'a>>) -> Vec<u8> {
    leaves.into_iter().flat_map(|leaf| leaf.line()).collect()
}

pub(super) fn too_large() -> Error {
    Error::TooLarge { what: "a section of the sdtid document, in octets", limit: MAX_SECTION }
}
