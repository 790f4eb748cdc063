//! Which credential of a request counts (auth-and-resources 8.6). Exactly one is chosen; if it
//! fails, no other is tried.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ApiToken;
use crate::cache::Key;

/// What kind of endpoint asks: they look at different credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `/query` and `/write`.
    V1,
    /// `/api/v2`, `/private` and `/legacy`.
    Api,
    /// `PUT .../password` of the API: there `Basic` is no credential but the old password.
    PasswordChange,
}

/// A name, and the secret that came with it.
#[derive(Debug, Clone)]
pub struct NamedSecret {
    /// The name, any bytes.
    pub name: Vec<u8>,
    /// The secret.
    pub secret: ApiToken,
}

impl NamedSecret {
    /// Cut at the first colon, if there is one.
    pub(crate) fn split(pair: &[u8]) -> Option<Self> {
        let colon = pair.iter().position(|b| *b == b':')?;
        Some(Self {
            name: pair[..colon].to_vec(),
            secret: ApiToken::from(pair[colon + 1..].to_vec()),
        })
    }

    /// The name, if anything in a store can have it: text without U+0000.
    pub(crate) fn name_to_look_up(&self) -> Option<&str> {
        let name = std::str::from_utf8(&self.name).ok()?;
        (!name.is_empty() && !name.contains('\0')).then_some(name)
    }
}

/// The credential of a request.
#[derive(Debug, Clone)]
pub enum Credential {
    /// `u` and `p` of the URL's query.
    Url(NamedSecret),
    /// `Authorization: Token X`; X may be `name:secret`.
    Token(ApiToken),
    /// `Authorization: Bearer X`.
    Bearer(ApiToken),
    /// The cookie `influxdb-oss-session`.
    Session(ApiToken),
    /// `Authorization: Basic`.
    Basic(NamedSecret),
}

impl Credential {
    /// A digest of what was presented and how, to find it in the process's cache.
    pub(crate) fn cache_key(&self) -> Key {
        let mut hasher = Sha256::new();
        let secret = match self {
            Self::Token(token) => {
                hasher.update(b"t");
                token
            }
            Self::Bearer(token) => {
                hasher.update(b"b");
                token
            }
            Self::Session(key) => {
                hasher.update(b"s");
                key
            }
            // Both mean the same.
            Self::Basic(named) | Self::Url(named) => {
                hasher.update(b"n");
                hasher.update((named.name.len() as u64).to_be_bytes());
                hasher.update(&named.name);
                &named.secret
            }
        };
        hasher.update(secret.bytes().expose_secret());
        hasher.finalize().into()
    }
}

/// The name of the session cookie.
pub const SESSION_COOKIE: &str = "influxdb-oss-session";

/// The credential that counts, if there is one: `query` is the URL's query as sent,
/// `authorization` the first header of that name, `cookie` the headers `Cookie`.
pub fn choose<'a>(
    surface: Surface,
    query: &str,
    authorization: Option<&[u8]>,
    cookies: impl Iterator<Item = &'a [u8]>,
) -> Option<Credential> {
    if surface == Surface::V1
        && let Some(named) = from_query(query)
    {
        return Some(Credential::Url(named));
    }
    if let Some(token) = authorization.and_then(from_token_header) {
        return Some(token);
    }
    if surface != Surface::V1
        && let Some(key) = session_key(cookies)
    {
        return Some(Credential::Session(key));
    }
    if surface == Surface::PasswordChange {
        return None;
    }
    authorization.and_then(from_basic).map(Credential::Basic)
}

fn after_scheme<'h>(header: &'h [u8], scheme: &str) -> Option<&'h [u8]> {
    let (word, rest) = header.split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?;
    (word.eq_ignore_ascii_case(scheme.as_bytes()) && !rest.is_empty()).then_some(rest)
}

fn from_token_header(header: &[u8]) -> Option<Credential> {
    let token = |rest: &[u8]| ApiToken::from(rest.to_vec());
    if let Some(rest) = after_scheme(header, "Token") {
        return Some(Credential::Token(token(rest)));
    }
    after_scheme(header, "Bearer").map(|rest| Credential::Bearer(token(rest)))
}

/// Name and secret of a header `Authorization: Basic`, which sign-in reads by itself, as does
/// whoever needs an old password; `None` if it is no such header.
pub fn from_basic(header: &[u8]) -> Option<NamedSecret> {
    let encoded = after_scheme(header, "Basic")?;
    let pair = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    NamedSecret::split(&pair)
}

/// The key in the session cookie, which signing out reads by itself; `cookies` are the headers
/// `Cookie`. `None` if there is none, or an empty one.
pub fn session_key<'a>(cookies: impl Iterator<Item = &'a [u8]>) -> Option<ApiToken> {
    for header in cookies {
        for pair in header.split(|b| *b == b';') {
            let value = pair
                .trim_ascii()
                .strip_prefix(SESSION_COOKIE.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                let value = unquoted(value);
                return (!value.is_empty()).then(|| ApiToken::from(value.to_vec()));
            }
        }
    }
    None
}

/// The value of a cookie, which may stand in double quotes.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

fn from_query(query: &str) -> Option<NamedSecret> {
    let mut name = None;
    let mut secret = None;
    for pair in query.split('&') {
        // The usual query has neither, and must not pay for the search.
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = match key {
            "u" | "%75" => &mut name,
            "p" | "%70" => &mut secret,
            _ => continue,
        };
        if place.is_none()
            && let Some(value) = percent_decode(value)
        {
            *place = Some(value);
        }
    }
    let (name, mut secret) = (name?, secret?);
    if name.is_empty() || secret.is_empty() {
        return None;
    }
    Some(NamedSecret {
        name: name.to_vec(),
        secret: ApiToken::from(std::mem::take(&mut *secret)),
    })
}

/// A part of a query, decoded; `None` if it cannot be, or has a semicolon in it.
fn percent_decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut decoded = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let mut digit = || Some(char::from(bytes.next()?).to_digit(16)? as u8);
                let high = digit()?;
                decoded.push(high << 4 | digit()?);
            }
            b';' => return None,
            other => decoded.push(other),
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The credential as text: its form, name and secret.
    fn chosen(surface: Surface, query: &str, header: Option<&str>, cookie: Option<&str>) -> String {
        let text = |t: &ApiToken| t.expose_text().unwrap().to_owned();
        let named =
            |n: &NamedSecret| format!("{} {}", String::from_utf8_lossy(&n.name), text(&n.secret));
        let header = header.map(str::as_bytes);
        match choose(
            surface,
            query,
            header,
            cookie.map(str::as_bytes).into_iter(),
        ) {
            None => "none".to_owned(),
            Some(Credential::Url(n)) => format!("url {}", named(&n)),
            Some(Credential::Token(t)) => format!("token {}", text(&t)),
            Some(Credential::Bearer(t)) => format!("bearer {}", text(&t)),
            Some(Credential::Session(t)) => format!("session {}", text(&t)),
            Some(Credential::Basic(n)) => format!("basic {}", named(&n)),
        }
    }

    #[test]
    fn the_first_credential_that_is_there_counts() {
        use Surface::{Api, PasswordChange, V1};
        let basic = Some("Basic YTpiOmM="); // a:b:c
        let cookie = Some("x=y; influxdb-oss-session=k");
        for (surface, query, header, cookie, expected) in [
            (V1, "u=a&p=b", Some("Token t"), cookie, "url a b"),
            (Api, "u=a&p=b", Some("Token t"), cookie, "token t"),
            (Api, "", Some("bEaReR t"), cookie, "bearer t"),
            (Api, "", basic, cookie, "session k"),
            (V1, "", basic, cookie, "basic a b:c"),
            (Api, "", basic, None, "basic a b:c"),
            (Api, "", Some("nonsense"), cookie, "session k"),
            (V1, "", Some("nonsense"), cookie, "none"),
            (PasswordChange, "u=a&p=b", basic, cookie, "session k"),
            (PasswordChange, "u=a&p=b", basic, None, "none"),
            (PasswordChange, "", Some("Token t"), cookie, "token t"),
            (V1, "u=a&p=", Some("Token t"), None, "token t"),
            (V1, "u=&p=b", Some("Token t"), None, "token t"),
            (V1, "u&u=a&p=b", Some("Token t"), None, "token t"),
            (V1, "u=a&p&p=b", Some("Token t"), None, "token t"),
            (V1, "u=a&u=b&p=%20+c", None, None, "url a   c"),
            (V1, "u=a&p=%zz&p=q", None, None, "url a q"),
            (V1, "u=a&p=%zz", None, None, "none"),
            (V1, "q=1;u=a&p=b&u=c", None, None, "url c b"),
        ] {
            assert_eq!(
                chosen(surface, query, header, cookie),
                expected,
                "{surface:?} {query} {header:?} {cookie:?}"
            );
        }
    }

    #[test]
    fn a_cookie_may_be_quoted() {
        for (cookie, expected) in [
            ("influxdb-oss-session=\"k\"", "session k"),
            ("influxdb-oss-session=\"k", "session \"k"),
            ("influxdb-oss-session=\"", "session \""),
            ("influxdb-oss-session=\"\"", "none"),
        ] {
            assert_eq!(
                chosen(Surface::Api, "", None, Some(cookie)),
                expected,
                "{cookie}"
            );
        }
    }

    #[test]
    fn headers_are_read_strictly() {
        for (header, expected) in [
            ("Token a:b c", "token a:b c"),
            ("token  t", "token  t"),
            ("Token\tt", "none"),
            ("Token", "none"),
            ("Token ", "none"),
            ("Tokent t", "none"),
            ("t", "none"),
            ("Basic YTpi", "basic a b"),
            ("BASIC Og==", "basic  "),
            ("Basic YTpiOmM", "none"),
            ("Basic YWI=", "none"),
            ("Basic  YTpi", "none"),
            ("ApiKey t", "none"),
        ] {
            assert_eq!(
                chosen(Surface::V1, "", Some(header), None),
                expected,
                "{header}"
            );
        }
    }

    #[test]
    fn a_credential_does_not_show_its_secret() {
        let named = choose(Surface::V1, "u=alice&p=hush", None, std::iter::empty()).unwrap();
        assert!(!format!("{named:?}").contains("hush"));
    }
}
