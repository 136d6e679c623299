//! Where in a text a token may begin.

use super::text::Text;
use crate::{Error, ErrorKind};

/// Something that looks like a token.
pub(super) enum Candidate<'t> {
    /// Digits or base64, and all that follows.
    Compressed(&'t str),
    /// From the XML declaration to the end.
    Xml(&'t str),
}

/// Documents that are tried before giving up: parsing them all could take long.
const MAX_DOCUMENTS: usize = 16;

const XML: &str = "<?xml ";

/// Tries the whole text and, if it is a file, the text from each later line start, as long as what
/// is found there is garbled. The first error is the one that is told.
///
/// Takes time in proportion to the text, since what is found from one line start is also what would
/// be found from all later ones before it.
pub(super) fn search<'t, T>(
    text: &'t Text<'_>,
    every_line: bool,
    mut attempt: impl FnMut(Candidate<'t>) -> Result<T, Error>,
) -> Result<T, Error> {
    let text = text.as_str();
    let mut finder = Finder::new(text);
    let (mut start, mut documents, mut told) = (0, 0_usize, None);
    loop {
        let mut position = start;
        if let Some((found, candidate)) = finder.candidate(start) {
            documents = documents.saturating_add(matches!(candidate, Candidate::Xml(_)).into());
            match attempt(candidate) {
                Err(error) if error.kind() == ErrorKind::Garbled => {
                    told.get_or_insert(error);
                }
                result => return result,
            }
            position = found;
        }
        match finder.next_line(start, position) {
            Some(next) if every_line && documents < MAX_DOCUMENTS => start = next,
            _ => return Err(told.unwrap_or(Error::NotFound)),
        }
    }
}

struct Finder<'t> {
    text: &'t str,
    quoted_data: Needle,
    data: Needle,
    xml: Needle,
    xml_line: Needle,
}

impl<'t> Finder<'t> {
    const fn new(text: &'t str) -> Self {
        Self {
            text,
            quoted_data: Needle::new("ctfData=3D"),
            data: Needle::new("ctfData="),
            xml: Needle::new(XML),
            xml_line: Needle::new("\n<?xml "),
        }
    }

    /// What the text from `start` holds, and where.
    fn candidate(&mut self, start: usize) -> Option<(usize, Candidate<'t>)> {
        let text = self.text;
        let rest = text.get(start..)?;
        let document = match start {
            0 => rest.trim_start_matches('\u{FEFF}').trim_ascii_start(),
            _ => rest,
        };
        if starts_with(document, XML) {
            return Some((start, Candidate::Xml(document)));
        }
        for needle in [&mut self.quoted_data, &mut self.data] {
            if let Some(at) = needle.next(text, start) {
                let data = text.get(at.saturating_add(needle.text.len())..)?;
                return Some((at, Candidate::Compressed(data)));
            }
        }
        if let Some(at) = self.xml.next(text, start) {
            return Some((at, Candidate::Xml(text.get(at..)?)));
        }
        rest.starts_with(|c: char| c.is_ascii_digit())
            .then_some((start, Candidate::Compressed(rest)))
    }

    /// The next line start worth a try: the first after `position`, or one before it that begins
    /// a document.
    fn next_line(&mut self, start: usize, position: usize) -> Option<usize> {
        let rest = self.text.get(position..)?;
        let line = rest.find('\n').map(|at| at.saturating_add(position));
        let document = self.xml_line.next(self.text, start).filter(|at| *at < position);
        document.or(line)?.checked_add(1)
    }
}

/// A text that is looked for, without regard to ASCII case, from ever later positions.
struct Needle {
    text: &'static str,
    /// Where it is next, or nowhere, as found from an earlier position.
    found: Option<Option<usize>>,
}

impl Needle {
    const fn new(text: &'static str) -> Self {
        Self { text, found: None }
    }

    fn next(&mut self, haystack: &str, start: usize) -> Option<usize> {
        match self.found {
            Some(None) => return None,
            Some(Some(at)) if at >= start => return Some(at),
            _ => {}
        }
        let mut windows = haystack.as_bytes().get(start..)?.windows(self.text.len());
        let at = windows.position(|window| window.eq_ignore_ascii_case(self.text.as_bytes()));
        let at = at.map(|at| at.saturating_add(start));
        self.found = Some(at);
        at
    }
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}
