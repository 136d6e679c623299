//! Simple values.

use super::decoder::Decoder;
use super::xsd::WHITE;
use super::{Element, fault};
use crate::message::Mac;
use crate::xml::base64::{decode_canonical, decode_unpadded, without_white};
use crate::{Departure, MessageError, MessageErrorKind};
use alloc::string::String;
use alloc::vec::Vec;

/// The shortest nonce, in octets (R066); the schema's length, too (R067).
const NONCE: usize = 16;

/// The characters of an identifier that prose and schema of RFC 4758 both allow (R047).
const IDENTIFIER: usize = 128;

impl Decoder<'_> {
    /// The text of an element that has neither attributes nor children.
    pub(super) fn text<'d>(
        &mut self,
        element: Element<'d, '_>,
        place: &'static str,
    ) -> Result<&'d str, MessageError> {
        let [] = self.attributes(element, place, [])?;
        content(element, place)
    }

    /// A URI: white space around it does not belong to it (R083).
    pub(super) fn uri(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<String, MessageError> {
        Ok(String::from(self.text(element, place)?.trim_matches(WHITE)))
    }

    /// Octets as base64.
    pub(super) fn octets(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let text = self.text(element, place)?;
        self.base64(text, place)
    }

    /// White space may stand anywhere between the characters; otherwise only the canonical form
    /// counts, so that no two texts are the same octets.
    pub(super) fn base64(
        &mut self,
        text: &str,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let text = without_white(text);
        if !text.len().is_multiple_of(4) {
            self.depart(Departure::UnpaddedBase64, place)?;
            return decode_unpadded(&text).ok_or_else(|| fault(MessageErrorKind::Base64, place));
        }
        decode_canonical(&text).ok_or_else(|| fault(MessageErrorKind::Base64, place))
    }

    /// A nonce that travels in the clear.
    pub(super) fn nonce(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let nonce = self.octets(element, place)?;
        if !(NONCE..=self.profile.reading.max_nonce).contains(&nonce.len()) {
            return Err(fault(MessageErrorKind::NonceLength, place));
        }
        if nonce.len() > NONCE {
            self.depart(Departure::NonceLength, place)?;
        }
        Ok(nonce)
    }

    /// A TokenID or KeyID.
    pub(super) fn key_id(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let id = self.octets(element, place)?;
        if id.len() > self.profile.reading.max_key_id {
            return Err(fault(MessageErrorKind::TooLong, place));
        }
        Ok(id)
    }

    /// A SessionID, ServiceID or UserID.
    pub(super) fn identifier(
        &mut self,
        text: &str,
        place: &'static str,
    ) -> Result<String, MessageError> {
        let reading = &self.profile.reading;
        // No more characters than octets: counting is seldom needed.
        let long = text.len() > IDENTIFIER;
        let too_many = long && text.chars().count() > reading.max_identifier_characters;
        if text.len() > reading.max_identifier || too_many {
            return Err(fault(MessageErrorKind::TooLong, place));
        }
        if long {
            self.depart(Departure::LongIdentifier, place)?;
        }
        Ok(String::from(text))
    }

    /// A big-endian number, without leading zero octets (R164).
    pub(super) fn number(
        &mut self,
        element: Element<'_, '_>,
        place: &'static str,
    ) -> Result<Vec<u8>, MessageError> {
        let mut number = self.octets(element, place)?;
        if number.first() == Some(&0) {
            self.depart(Departure::LeadingZero, place)?;
            let zeros = number.iter().take_while(|octet| **octet == 0).count();
            number.drain(..zeros);
        }
        Ok(number)
    }

    /// A MAC; an empty one is none.
    pub(super) fn mac(&mut self, element: Element<'_, '_>) -> Result<Option<Mac>, MessageError> {
        let [algorithm] = self.attributes(element, "Mac", ["MacAlgorithm"])?;
        let algorithm = algorithm.map(|uri| String::from(uri.trim_matches(WHITE)));
        let value = self.base64(content(element, "Mac")?, "Mac")?;
        if value.is_empty() {
            self.depart(Departure::MissingMac, "Mac")?;
            return Ok(None);
        }
        Ok(Some(Mac { algorithm, value }))
    }
}

/// The text of an element without children.
pub(super) fn content<'d>(element: Element<'d, '_>, place: &str) -> Result<&'d str, MessageError> {
    match element.children().next() {
        Some(_) => Err(fault(MessageErrorKind::Unexpected, place)),
        None => Ok(element.text()),
    }
}
