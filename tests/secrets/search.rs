//! Looking for what must not be there.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use influxd_tests::{Home, files_below};
use memchr::memmem::Finder;

/// What every marked secret begins with; whatever shows one shows this.
const MARK: &str = "kWmX5f1c07e2a9Qd3b";

/// The same for secrets that the server has to give out again one day, and so has to store: those
/// of organizations. No log and no metric may show them.
const STORED_MARK: &str = "zPvR8e40b6d1c7Yh2n";

/// Gives out marked secrets, all different.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    given: Vec<String>,
    /// Secrets that the server made up.
    generated: Vec<String>,
}

impl Marks {
    /// A secret for this position in a request.
    pub(crate) fn mark(&mut self, position: &str) -> String {
        self.given.push(position.to_owned());
        format!("{MARK}-{:04}", self.given.len())
    }

    /// The same for what the server has to keep.
    pub(crate) fn stored(&mut self, position: &str) -> String {
        self.mark(position).replace(MARK, STORED_MARK)
    }

    /// Keeps in mind a secret that the server made up and showed once.
    pub(crate) fn remember(&mut self, secret: String) {
        assert!(secret.len() >= 32, "{secret:?} is not one of the server's");
        self.generated.push(secret);
    }

    /// Fails if any secret is in a text that the server wrote, in whatever form.
    #[track_caller]
    pub(crate) fn are_not_in(&self, name: &str, text: &[u8]) {
        self.look(name, text, &self.forms(&[MARK, STORED_MARK]));
    }

    /// Fails if any secret is in a file of the home, in whatever form.
    #[track_caller]
    pub(crate) fn are_in_no_file_of(&self, home: &Home) {
        let forms = self.forms(&[MARK]);
        for folder in home.all_folders() {
            for file in files_below(&folder) {
                // A file of PostgreSQL's may go while we look.
                let bytes = fs::read(&file).unwrap_or_default();
                self.look(&file.display().to_string(), &bytes, &forms);
            }
        }
    }

    fn forms(&self, marks: &[&str]) -> Vec<(String, Finder<'static>)> {
        let secrets = marks.iter().copied();
        let secrets = secrets.chain(self.generated.iter().map(String::as_str));
        secrets
            .flat_map(forms)
            .map(|form| (form.clone(), Finder::new(&form).into_owned()))
            .collect()
    }

    #[track_caller]
    fn look(&self, name: &str, text: &[u8], forms: &[(String, Finder<'static>)]) {
        for (form, finder) in forms {
            let Some(at) = finder.find(text) else {
                continue;
            };
            let around = &text[at.saturating_sub(200)..text.len().min(at + form.len() + 40)];
            let around = String::from_utf8_lossy(around);
            let given = self.given.iter().enumerate();
            let given: Vec<String> = given
                .map(|(at, what)| format!("{:04} {what}", at + 1))
                .collect();
            panic!(
                "{form} is in {name}:\n…{around}…\nmarks:\n{}",
                given.join("\n")
            );
        }
    }
}

/// The forms in which a secret could be written down.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let each = |form: &dyn Fn(&u8) -> String| bytes.iter().map(form).collect::<Vec<_>>();
    // Inside a longer base64 text a secret begins at any of three offsets; what lies at the seams
    // depends on its neighbours, so a few characters are left out there. The URL-safe alphabet
    // differs from the other by two letters.
    let inner = (0..3).flat_map(|offset| {
        let text = STANDARD.encode([&b"xyz"[..offset], bytes].concat());
        let text = text.trim_end_matches('=');
        let text = text[4..text.len() - 4].to_owned();
        [text.replace('+', "-").replace('/', "_"), text]
    });
    let mut forms: Vec<String> = inner.collect();
    forms.extend([
        secret.to_owned(),
        secret.chars().rev().collect(),
        each(&|byte| format!("{byte:02x}")).concat(),
        each(&|byte| format!("{byte:02X}")).concat(),
        each(&|byte| format!("%{byte:02x}")).concat(),
        each(&|byte| format!("%{byte:02X}")).concat(),
        each(&|byte| format!("\\x{byte:02x}")).concat(),
        each(&|byte| byte.to_string()).join(", "),
        each(&|byte| byte.to_string()).join(","),
    ]);
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[test]
fn a_secret_is_found_in_every_form() {
    let mut marks = Marks::default();
    let secret = marks.mark("a test");
    let base64 = base64::engine::general_purpose::URL_SAFE;
    for text in [
        format!("token={secret} and more"),
        STANDARD.encode(format!("grace:{secret}")),
        base64.encode(format!("g:{secret}")),
        base64.encode(format!("{secret}xy")),
        format!("{:?}", secret.as_bytes()),
        secret.bytes().map(|byte| format!("{byte:x}")).collect(),
        secret.bytes().map(|byte| format!("%{byte:X}")).collect(),
    ] {
        let looked = std::panic::catch_unwind(|| marks.are_not_in("a text", text.as_bytes()));
        assert!(looked.is_err(), "not found in {text}");
    }
    marks.are_not_in("a text", b"nothing at all");
}
