//! What all messages have in common: children, attributes, and what is let pass.

use super::{Element, ct_kip_namespace, fault};
use crate::message::{Refusal, Status, Version};
use crate::xml::{XMLDSIG, XSI};
use crate::{Departure, MessageError, MessageErrorKind, Profile};
use alloc::vec::Vec;

/// Stands among the names of children for one element of a foreign namespace, where the schema has
/// an open position.
pub(super) const ANY: &str = "*";

/// Stands among the names of attributes for the one by which XML Schema names a type.
pub(super) const TYPE: &str = "xsi:type";

/// Children of a sequence, in the order of their names.
pub(super) type Children<'d, 'a, const N: usize> = [Option<Element<'d, 'a>>; N];

/// Whose elements the children of an element are.
#[derive(Clone, Copy)]
pub(super) enum Vocabulary {
    /// CT-KIP's.
    CtKip,
    /// CT-KIP's, in an OTP configuration: no stray element there is worth losing a token for.
    OtpConfiguration,
    /// XML Signature's.
    Signature,
}

/// Reads one message.
pub(super) struct Decoder<'p> {
    pub(super) profile: &'p Profile,
    pub(super) departures: Vec<(Departure, &'static str)>,
}

impl<'p> Decoder<'p> {
    pub(super) const fn new(profile: &'p Profile) -> Self {
        Self { profile, departures: Vec::new() }
    }

    /// Every departure from RFC 4758 passes here: it is noted, or it is the end.
    pub(super) fn depart(
        &mut self,
        departure: Departure,
        place: &'static str,
    ) -> Result<(), MessageError> {
        if self.profile.reading.lets_pass(departure) {
            self.departures.push((departure, place));
            Ok(())
        } else {
            Err(fault(MessageErrorKind::Departure(departure), place))
        }
    }

    /// The children of an element that holds nothing but elements, each of them at most once.
    pub(super) fn children<'d, 'a, const N: usize>(
        &mut self,
        parent: Element<'d, 'a>,
        place: &'static str,
        names: [&'static str; N],
    ) -> Result<Children<'d, 'a, N>, MessageError> {
        self.children_of(Vocabulary::CtKip, parent, place, names)
    }

    /// As [`Self::children`], of another vocabulary.
    pub(super) fn children_of<'d, 'a, const N: usize>(
        &mut self,
        vocabulary: Vocabulary,
        parent: Element<'d, 'a>,
        place: &'static str,
        names: [&'static str; N],
    ) -> Result<Children<'d, 'a, N>, MessageError> {
        if parent.has_text() {
            self.unexpected(vocabulary, place)?;
        }
        let mut found = [None; N];
        let mut furthest = 0;
        for child in parent.children() {
            let own = match vocabulary {
                Vocabulary::Signature => child.namespace() == Some(XMLDSIG),
                Vocabulary::CtKip | Vocabulary::OtpConfiguration => self.is_own(child, place)?,
            };
            let name = if own { child.local() } else { ANY };
            let at = names.iter().position(|known| *known == name);
            let slot = at.and_then(|at| found.get_mut(at)).filter(|slot| slot.is_none());
            match (slot, own) {
                (Some(slot), true) => *slot = Some(child),
                (Some(slot), false) => {
                    *slot = Some(child);
                    self.open_position(child, place)?;
                }
                (None, true) => {
                    let known = names.iter().find(|known| **known == name).copied();
                    self.unexpected(vocabulary, known.unwrap_or(place))?;
                }
                (None, false) => self.depart(Departure::ForeignContent, place)?,
            }
            if at.is_some_and(|at| at < furthest) {
                self.depart(Departure::ChildOrder, place)?;
            }
            furthest = at.unwrap_or(furthest).max(furthest);
        }
        Ok(found)
    }

    /// The children of an element that repeats one name.
    pub(super) fn repeated<'d, 'a>(
        &mut self,
        parent: Element<'d, 'a>,
        place: &'static str,
        name: &'static str,
    ) -> Result<Vec<Element<'d, 'a>>, MessageError> {
        if parent.has_text() {
            return Err(fault(MessageErrorKind::Unexpected, place));
        }
        let mut found = Vec::new();
        for child in parent.children() {
            if !self.is_own(child, place)? {
                self.depart(Departure::ForeignContent, place)?;
            } else if child.local() == name {
                found.push(child);
            } else {
                return Err(fault(MessageErrorKind::Unexpected, place));
            }
        }
        Ok(found)
    }

    /// Whether an element is one of CT-KIP's: in no namespace, as the schema has it, or in CT-KIP's.
    pub(super) fn is_own(
        &mut self,
        child: Element<'_, '_>,
        place: &'static str,
    ) -> Result<bool, MessageError> {
        if child.namespace().is_none() {
            return Ok(true);
        }
        let own = ct_kip_namespace(child, &self.profile.reading).is_some();
        if own {
            self.depart(Departure::QualifiedChild, place)?;
        }
        Ok(own)
    }

    /// An element in an open position, where the schema asks for its declaration (R090): that of XML
    /// Signature is the one schema it imports.
    pub(super) fn open_position(
        &mut self,
        child: Element<'_, '_>,
        place: &'static str,
    ) -> Result<(), MessageError> {
        if child.namespace() == Some(XMLDSIG) {
            return Ok(());
        }
        self.depart(Departure::ForeignContent, place)
    }

    /// The values of the attributes named; there are no others but those that XML Schema allows
    /// everywhere.
    pub(super) fn attributes<'d, const N: usize>(
        &mut self,
        element: Element<'d, '_>,
        place: &'static str,
        names: [&'static str; N],
    ) -> Result<[Option<&'d str>; N], MessageError> {
        self.attributes_of(Vocabulary::CtKip, element, place, names)
    }

    /// As [`Self::attributes`], of an element of another vocabulary.
    pub(super) fn attributes_of<'d, const N: usize>(
        &mut self,
        vocabulary: Vocabulary,
        element: Element<'d, '_>,
        place: &'static str,
        names: [&'static str; N],
    ) -> Result<[Option<&'d str>; N], MessageError> {
        let ours = self.profile.reading.namespaces;
        let mut found = [None; N];
        for (namespace, local, value) in element.attributes() {
            let name = match (namespace, local) {
                (None, local) => local,
                (Some(XSI), "type") => TYPE,
                (Some(XSI), "schemaLocation" | "noNamespaceSchemaLocation") => continue,
                (Some(XSI), "nil") => "xsi:nil",
                (Some(other), local) if ours.iter().any(|own| own.uri() == other) => local,
                (Some(_), _) => ANY,
            };
            let at = names.iter().position(|known| *known == name);
            let own = namespace.is_none() || name == TYPE;
            match at.filter(|_| own).and_then(|at| found.get_mut(at)) {
                Some(slot) => *slot = Some(value),
                None if name == ANY || name == TYPE => {
                    self.depart(Departure::ForeignContent, place)?;
                }
                None => self.unexpected(vocabulary, place)?,
            }
        }
        Ok(found)
    }

    /// The attribute Version.
    pub(super) fn version(&mut self, text: Option<&str>) -> Result<Option<Version>, MessageError> {
        let Some(text) = text else {
            self.depart(Departure::MissingVersion, "Version")?;
            return Ok(None);
        };
        let version = Version::new(text).ok_or_else(|| fault(MessageErrorKind::Version, "Version"));
        version.map(Some)
    }

    /// The attribute Status.
    pub(super) fn status(text: Option<&str>) -> Result<Status, MessageError> {
        text.and_then(Status::from_word).ok_or_else(|| fault(MessageErrorKind::Status, "Status"))
    }

    /// A response with a status that ends the run. What else it holds is not looked at.
    pub(super) fn refusal(
        &mut self,
        root: Element<'_, '_>,
        place: &'static str,
        refusal: Refusal,
    ) -> Result<Refusal, MessageError> {
        if root.children().next().is_some() || root.has_text() {
            self.depart(Departure::ErrorWithContent, place)?;
        }
        Ok(refusal)
    }

    /// What the schema does not have here.
    pub(super) fn unexpected(
        &mut self,
        vocabulary: Vocabulary,
        place: &'static str,
    ) -> Result<(), MessageError> {
        match vocabulary {
            Vocabulary::OtpConfiguration => self.depart(Departure::OddValue, place),
            Vocabulary::CtKip | Vocabulary::Signature => {
                Err(fault(MessageErrorKind::Unexpected, place))
            }
        }
    }
}

/// What must be there.
pub(super) fn required<T>(part: Option<T>, place: &str) -> Result<T, MessageError> {
    part.ok_or_else(|| fault(MessageErrorKind::Missing, place))
}
