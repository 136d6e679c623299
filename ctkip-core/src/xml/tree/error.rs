//! What is wrong with a document, and where.

/// Why a document was refused, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("XML refused at octet {offset}: {kind}")]
#[non_exhaustive]
pub struct XmlError {
    /// What is wrong.
    pub kind: XmlErrorKind,
    /// Where, in octets from the start: of the octets given to [`decode`](super::decode), of the
    /// text given to [`Document::parse`](super::Document::parse).
    pub offset: usize,
}

/// What is wrong with a document. The variants up to [`ReservedName`](Self::ReservedName) are
/// things the specifications allow and this reader does not; the others are fatal in any reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlErrorKind {
    /// More octets than [`Limits::octets`](super::Limits::octets).
    #[error("the document is larger than the limit on octets")]
    TooLarge,
    /// More open elements than [`Limits::depth`](super::Limits::depth).
    #[error("elements are nested deeper than the limit on depth")]
    TooDeep,
    /// More elements than [`Limits::elements`](super::Limits::elements).
    #[error("the document has more elements than the limit on elements")]
    TooManyElements,
    /// More attributes on an element than [`Limits::attributes`](super::Limits::attributes).
    #[error("the element has more attributes than the limit on attributes")]
    TooManyAttributes,
    /// More declarations in scope than [`Limits::namespaces`](super::Limits::namespaces).
    #[error("more namespace declarations are in scope than the limit on namespaces")]
    TooManyNamespaces,
    /// A value or text longer than [`Limits::value`](super::Limits::value).
    #[error("the attribute value or element text is longer than the limit on values")]
    ValueTooLong,
    /// A document type declaration, hence the only way to define entities.
    #[error("document type declarations (DOCTYPE) are not accepted; send the document without")]
    DocType,
    /// An XML declaration with a version other than 1.0.
    #[error("only XML version 1.0 is accepted")]
    Version,
    /// None of the encodings that are decoded, or declared to be another than the octets are in.
    #[error(
        "the encoding is not the declared one, or none of UTF-8, UTF-16 with a byte order mark, US-ASCII and ISO-8859-1"
    )]
    Encoding,
    /// An element with the prefix `xml`, or an attribute `…:xmlns` with a prefix. No specification
    /// gives either a meaning, and parsers disagree about them.
    #[error("a name reserved by XML is used in a way that no specification defines")]
    ReservedName,

    /// Octets that are not UTF-8.
    #[error("the octets are not UTF-8")]
    NotUtf8,
    /// Octets after a UTF-16 byte order mark that are not UTF-16.
    #[error("the octets are not UTF-16, as their byte order mark says")]
    NotUtf16,
    /// A character that XML does not allow: a control character, U+FFFE or U+FFFF.
    #[error("XML does not allow this character")]
    Character,
    /// A reference to an entity other than the five predefined ones.
    #[error("the entity is not defined; only amp, lt, gt, apos and quot are")]
    Entity,
    /// `&` that begins no reference, or a reference to a character that XML does not allow.
    #[error("this is not a reference to a character that XML allows; a plain & is written &amp;")]
    Reference,
    /// A name that is no XML name, or not with at most one colon.
    #[error("this is not a qualified XML name")]
    Name,
    /// Something other than `name="value"` in a tag, or no white space before it.
    #[error("an attribute must read name=\"value\", after white space, without < in the value")]
    Attribute,
    /// Two attributes with the same name, also by way of two prefixes, or two declarations of a
    /// prefix, on one element.
    #[error("the element has this attribute twice")]
    DuplicateAttribute,
    /// A prefix without a declaration in scope.
    #[error("the namespace prefix is not declared")]
    UnboundPrefix,
    /// A declaration that takes a prefix away, or that binds `xml`, `xmlns` or their namespaces.
    #[error("this prefix or namespace name must not be declared")]
    NamespaceDeclaration,
    /// A malformed XML declaration, or one that is not at the very start.
    #[error("the XML declaration is malformed, or not at the start of the document")]
    Declaration,
    /// A processing instruction without a proper name, or called `xml` in some spelling.
    #[error("the processing instruction has no proper name")]
    ProcessingInstruction,
    /// `--` inside a comment.
    #[error("a comment must not contain -- nor end in a hyphen")]
    Comment,
    /// `]]>` in text, outside of a CDATA section.
    #[error("]]> must be written ]]&gt; in text")]
    CDataEnd,
    /// Markup that is neither tag, comment, CDATA section nor processing instruction, or has no end.
    #[error("this markup is unknown or does not end")]
    Markup,
    /// An end tag that is not that of the innermost open element.
    #[error("the end tag does not match the open element")]
    EndTag,
    /// Text, a reference or a CDATA section before or after the root element.
    #[error("text is not allowed outside of the root element")]
    TextOutsideRoot,
    /// A second root element.
    #[error("a document has one root element; this is a second one")]
    SecondRoot,
    /// The document ended without an element.
    #[error("the document has no element")]
    NoRoot,
    /// The document ended within an element.
    #[error("the document ends before its root element does")]
    UnclosedRoot,
}
