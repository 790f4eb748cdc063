//! Regular expressions: RE2 syntax (InfluxQL 1.3), run by an engine without backtracking.

mod translate;

use std::fmt;

/// How much memory a compiled pattern, and its cache, may take, in bytes. Patterns come from outside.
const SIZE_LIMIT: usize = 2 << 20;

/// A compiled regular expression and the text it came from.
#[derive(Clone)]
pub struct Regex {
    source: String,
    compiled: regex::bytes::Regex,
}

/// Why a pattern is refused. The text is that of the RE2 engine, with `error parsing regexp: `
/// before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {code}: `{part}`")]
pub struct RegexError {
    code: &'static str,
    part: String,
}

impl Regex {
    /// Compiles a pattern in RE2 syntax, given without slashes around it.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let translated = translate::translate(pattern)?;
        let compiled = regex::bytes::RegexBuilder::new(&translated)
            .size_limit(SIZE_LIMIT)
            .dfa_size_limit(SIZE_LIMIT)
            .build()
            .map_err(|error| RegexError {
                code: if matches!(error, regex::Error::CompiledTooBig(_)) {
                    "expression too large"
                } else {
                    "expression cannot be used"
                },
                part: pattern.to_owned(),
            })?;
        Ok(Self {
            source: pattern.to_owned(),
            compiled,
        })
    }

    /// The pattern, without slashes around it.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The compiled expression: what finds matches, and what can be kept and compiled again.
    pub fn engine(&self) -> &regex::bytes::Regex {
        &self.compiled
    }

    /// Whether it matches anywhere in `text`, which need not be UTF-8.
    pub fn is_match(&self, text: impl AsRef<[u8]>) -> bool {
        self.compiled.is_match(text.as_ref())
    }
}

impl PartialEq for Regex {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Regex {}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Regex({:?})", self.source)
    }
}

impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source.replace('/', "\\/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Regex::new(pattern).unwrap().is_match(text)
    }

    fn refused(pattern: &str, message: &str) {
        assert_eq!(
            Regex::new(pattern).unwrap_err().to_string(),
            format!("error parsing regexp: {message}"),
            "{pattern}"
        );
    }

    #[test]
    fn classes_are_ascii_as_in_re2() {
        assert!(matches(r"^\w+$", "abc_1"));
        assert!(!matches(r"^\w+$", "é"));
        assert!(matches(r"^\W$", "é"));
        assert!(!matches(r"^\d$", "٣"));
        assert!(!matches(r"^\s$", "\u{a0}"));
        assert!(!matches(r"^\s$", "\u{b}"));
        assert!(matches(r"^[\w-]+$", "a-b"));
        assert!(matches(r"^[^\W]$", "a"));
        assert!(matches(r"^[\D]$", "x"));
        assert!(matches(r"\bsrv\b", "a srv1 srv"));
        assert!(matches(r"a\Bb", "ab"));
        assert!(matches(r"^[[:alpha:]]+$", "abc"));
        assert!(matches(r"^[[:^alpha:]]+$", "123"));
        assert!(matches(r"^\p{Greek}\pL$", "αb"));
        assert!(matches(r"^[\p{Greek}x]+$", "αx"));
    }

    #[test]
    fn letters_that_mean_more_in_the_engine_are_just_letters() {
        assert!(matches(r"^a{,2}$", "a{,2}"));
        assert!(matches(r"^a{x}$", "a{x}"));
        assert!(matches(r"^[a&&b]+$", "&ab"));
        assert!(matches(r"^[[a]$", "["));
        assert!(matches(r"^[]a]+$", "]a"));
        assert!(matches(r"^[^]a]$", "b"));
        assert!(matches(r"^[a~~b]+$", "~"));
        assert!(matches(r"^[a-]$", "-"));
        assert!(matches(r"^\_\<\-$", "_<-"));
        assert!(matches(r"^# x$", "# x"));
        assert!(matches(r"^\Qa.b*\E+$", "a.b**"));
        assert!(matches(r"^\Qa.b", "a.bc"));
        assert!(!matches(r"^\Qa.b", "axb"));
        assert!(matches(r"^\x41\x{1F600}\101\0$", "A😀A\0"));
    }

    #[test]
    fn groups_flags_and_anchors_work() {
        assert!(matches(r"(?i)^CPU$", "cpu"));
        assert!(matches(r"^(?P<name>a|b)(?<other>c)$", "bc"));
        assert!(matches(r"(?s)a.b", "a\nb"));
        assert!(!matches(r"a.b", "a\nb"));
        assert!(matches(r"(?m)^b$", "a\nb"));
        assert!(!matches(r"^b$", "a\nb"));
        assert!(!matches(r"a$", "a\n"));
        assert!(matches(r"\Aa\z", "a"));
        assert!(matches(r"^(?i:A)b(?-i)$", "ab"));
        assert!(matches(r"^(?:)x|(a{2,3}?)$", "aa"));
        assert!(matches("", "anything"));
        assert!(matches(r"[^a]", "\n"));
    }

    #[test]
    fn errors_read_as_in_re2() {
        refused("(", "missing closing ): `(`");
        refused("a(b", "missing closing ): `a(b`");
        refused("a)", "unexpected ): `a)`");
        refused("[a", "missing closing ]: `[a`");
        refused("x[", "missing closing ]: `[`");
        refused("[]", "missing closing ]: `[]`");
        refused("*", "missing argument to repetition operator: `*`");
        refused("a|+?", "missing argument to repetition operator: `+?`");
        refused("(?:{2})", "missing argument to repetition operator: `{2}`");
        refused("a**", "invalid nested repetition operator: `**`");
        refused("a*?*", "invalid nested repetition operator: `*?*`");
        refused("a{1001}", "invalid repeat count: `{1001}`");
        refused("a{2,1}", "invalid repeat count: `{2,1}`");
        refused(r"\q", r"invalid escape sequence: `\q`");
        refused(r"\1", r"invalid escape sequence: `\1`");
        refused(r"\C", r"invalid escape sequence: `\C`");
        refused(r"\Z", r"invalid escape sequence: `\Z`");
        refused(r"[a-\d]", r"invalid escape sequence: `\d`");
        refused("a\\", "trailing backslash at end of expression: ``");
        refused("[z-a]", "invalid character class range: `z-a`");
        refused("[[:foo:]]", "invalid character class range: `[:foo:]`");
        refused(r"\p{Foo}", r"invalid character class range: `\p{Foo}`");
        refused(r"\pX", r"invalid character class range: `\pX`");
        refused("(?=a)", "invalid or unsupported Perl syntax: `(?=`");
        refused("(?!a)", "invalid or unsupported Perl syntax: `(?!`");
        refused("(?x)a", "invalid or unsupported Perl syntax: `(?x`");
        refused("(?P<a!>b)", "invalid named capture: `(?P<a!>`");
    }

    #[test]
    fn a_pattern_cannot_take_much_memory() {
        let error = Regex::new("((((a{100}){100}){100}){100})").unwrap_err();
        assert!(
            error.to_string().contains("expression too large"),
            "{error}"
        );
    }

    #[test]
    fn a_deeply_nested_pattern_is_refused() {
        let pattern = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Regex::new(&pattern).is_err());
    }

    #[test]
    fn text_need_not_be_utf8() {
        assert!(Regex::new("^a").unwrap().is_match(b"a\xff"));
    }
}
