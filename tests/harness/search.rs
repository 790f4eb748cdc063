//! Looking for many secrets at once, whole or in part, in whatever form they may have been written.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// How many characters of a form are looked for: of two such stretches of a secret that lies in
/// pieces, one is found.
const STRETCH: usize = 20;

/// Looks for secrets.
#[derive(Debug)]
pub struct Search {
    finder: AhoCorasick,
    /// To which secret a pattern belongs.
    secrets: Vec<usize>,
}

impl Search {
    /// A search for these secrets.
    ///
    /// # Panics
    /// If one is so short that it could be found by chance.
    pub fn new<T: AsRef<str>>(secrets: impl IntoIterator<Item = T>) -> Self {
        let mut patterns: Vec<Vec<u8>> = Vec::new();
        let mut belong = Vec::new();
        for (number, secret) in secrets.into_iter().enumerate() {
            let secret = secret.as_ref();
            assert!(secret.len() > STRETCH, "{secret:?} is too short");
            for form in forms(secret) {
                for part in form.chunks_exact(STRETCH) {
                    patterns.push(part.to_vec());
                    belong.push(number);
                }
            }
        }
        Self {
            finder: AhoCorasick::new(&patterns).expect("so many patterns fit"),
            secrets: belong,
        }
    }

    /// The numbers of the secrets that are in these bytes.
    pub fn finds_in(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let found = self.finder.find_overlapping_iter(bytes);
        found
            .map(|found| self.secrets[found.pattern().as_usize()])
            .collect()
    }

    /// Fails if any of the secrets is in a text.
    #[track_caller]
    pub fn finds_nothing_in(&self, name: &str, bytes: &[u8]) {
        let found = self.finds_in(bytes);
        assert!(found.is_empty(), "{} secrets are in {name}", found.len());
    }

    /// Fails if any of the secrets is in a file below a folder.
    #[track_caller]
    pub fn finds_nothing_below(&self, folder: &Path) {
        for file in files_below(folder) {
            // A file may go while we look.
            let bytes = fs::read(&file).unwrap_or_default();
            self.finds_nothing_in(&file.display().to_string(), &bytes);
        }
    }
}

/// The forms in which a secret could be written down: as it is, what it encodes, in hex, and in
/// base64 at any of three offsets of a longer text.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
    let mut forms = vec![secret.as_bytes().to_vec()];
    let mut digits = vec![hex(secret.as_bytes())];
    let mut texts = Vec::new();
    if let Ok(decoded) = URL_SAFE.decode(secret) {
        digits.push(hex(&decoded));
        texts.push(STANDARD.encode(&decoded));
        forms.push(decoded);
    }
    for offset in 0..3 {
        let text = STANDARD.encode([&b"xyz"[..offset], secret.as_bytes()].concat());
        // What lies at the seams depends on the neighbours.
        texts.push(text[4..text.len() - 4].to_owned());
    }
    let upper = digits.iter().map(|text| text.to_uppercase());
    let safe = texts
        .iter()
        .map(|text| text.replace('+', "-").replace('/', "_"));
    let more: Vec<String> = upper.chain(safe).collect();
    let all = digits.into_iter().chain(texts).chain(more);
    forms.extend(all.map(String::into_bytes));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // PostgreSQL makes and removes folders while we look.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files_below(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_in_every_form_and_in_part() {
        let secrets = [[b'a'; 64], [b'z'; 64]].map(|bytes| URL_SAFE.encode(bytes));
        let search = Search::new(&secrets);
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        for text in [
            format!("token={} and more", secrets[1]),
            secrets[1][10..60].to_owned(),
            "z".repeat(60),
            STANDARD.encode(format!("grace:{}", secrets[1])),
            URL_SAFE.encode(format!("g:{}xy", secrets[1])),
            hex(secrets[1].as_bytes()).to_uppercase(),
            hex(&[b'z'; 40]),
        ] {
            assert_eq!(search.finds_in(text.as_bytes()), [1].into(), "{text}");
        }
        search.finds_nothing_in("a text", "nothing at all".repeat(9).as_bytes());
    }
}
