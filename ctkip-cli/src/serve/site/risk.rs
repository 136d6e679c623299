//! Whether guessing codes has become too promising.

use ctkip_core::Timestamp;
use ctkip_server::store::StoreError;
use ctkip_server::{GuessLimits, Site};

use super::super::key::Key;

/// The chance that guessing for a day may have.
const BEARABLE: f64 = 1e-6;

/// What the operator is to be told, if anything.
pub(super) fn warning(
    site: &Site<Key>,
    guesses: GuessLimits,
    now: Timestamp,
) -> Result<Option<String>, StoreError> {
    let risk = site.risk(now)?;
    if risk <= BEARABLE {
        return Ok(None);
    }
    let open: u64 = site.registry().store().open_codes(now)?.iter().map(|(_, codes)| codes).sum();
    let a_day = guesses.guesses_a_day();
    Ok(Some(format!(
        "codes can be guessed: {open} are open and {a_day} wrong ones a day are borne, so that a day \
         of guessing finds one with a chance of {risk:.1e}, more than {BEARABLE:e}. Give longer codes \
         (ctkip enrol --code-length 16), or bear fewer guesses (--guesses-total)"
    )))
}
