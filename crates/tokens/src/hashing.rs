//! How API tokens are stored: as digests, or raw while hashing is off.

use influxd_store::{RawToken, StoredToken, TokenForms};
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq as _;

use crate::{ApiToken, Escrow, Keyring, TokenDigest, Variant};

/// How API tokens are stored, and how one that is presented is found in whatever form it was
/// stored, today or at any time before (auth-and-resources 6.4, 6.5).
#[derive(Debug, Default)]
pub struct Hashing {
    /// New tokens are stored raw.
    is_off: bool,
    keyring: Keyring,
    escrow: Option<Escrow>,
}

impl Hashing {
    /// Hashing with these keys, or none where `is_on` is false: then the keys only verify. Raw
    /// tokens that become digests are sealed for `escrow` first, if that is given.
    pub const fn new(is_on: bool, keyring: Keyring, escrow: Option<Escrow>) -> Self {
        Self {
            is_off: !is_on,
            keyring,
            escrow,
        }
    }

    /// The same without any key.
    #[must_use]
    pub fn without_keys(self) -> Self {
        Self {
            keyring: Keyring::default(),
            ..self
        }
    }

    /// Whether new tokens are stored as digests.
    pub const fn is_on(&self) -> bool {
        !self.is_off
    }

    /// The keys for digests.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// To whom raw tokens are sealed before they become digests.
    pub const fn escrow(&self) -> Option<&Escrow> {
        self.escrow.as_ref()
    }

    /// What is stored of a new token.
    pub fn stored(&self, token: &ApiToken) -> StoredToken {
        if self.is_off {
            StoredToken::Raw(RawToken::new(token.bytes().clone()))
        } else {
            StoredToken::Digest(self.keyring.digest(token).to_phc())
        }
    }

    /// Every form in which a token may be stored.
    pub fn forms(&self, token: &ApiToken) -> TokenForms {
        let digests = self.keyring.digests(token);
        TokenForms {
            raw_key: *RawToken::new(token.bytes().clone()).key(),
            digests: digests.iter().map(TokenDigest::to_phc).collect(),
        }
    }

    /// Whether `token` is the one that is stored so, in constant time. The index said so; the
    /// record has to agree.
    pub fn verifies(&self, token: &ApiToken, stored: &StoredToken) -> bool {
        match stored {
            StoredToken::Raw(raw) => {
                let (a, b) = (raw.text().expose_secret(), token.bytes().expose_secret());
                bool::from(a.ct_eq(b))
            }
            StoredToken::Digest(phc) => phc
                .parse()
                .is_ok_and(|digest| self.keyring.verifies(token, &digest)),
        }
    }

    /// What a stored token should become now that the token itself was presented, if anything:
    /// where there is a key, digests of another one and SHA-512's are made anew. SHA-256's are left
    /// to [`rekey`](crate::rekey): another server may not have been given the key yet
    /// (auth-and-resources 6.2).
    pub fn renewed(&self, token: &ApiToken, stored: &StoredToken) -> Option<StoredToken> {
        let StoredToken::Digest(phc) = stored else {
            return None;
        };
        let today = self.keyring.variant();
        if self.is_off || !matches!(today, Variant::Keyed(_)) {
            return None;
        }
        let digest: TokenDigest = phc.parse().ok()?;
        let waits = digest.variant() != today && digest.variant() != Variant::Sha256;
        waits.then(|| self.stored(token))
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretSlice;

    use super::*;

    fn token(text: &str) -> ApiToken {
        ApiToken::from(text.as_bytes().to_vec())
    }

    fn keyed(byte: u8) -> Keyring {
        Keyring::new([SecretSlice::from(vec![byte; 32])]).unwrap()
    }

    #[test]
    fn whatever_is_stored_is_among_the_forms_and_verifies() {
        for hashing in [
            Hashing::default(),
            Hashing::new(false, Keyring::default(), None),
            Hashing::new(true, keyed(1), None),
            Hashing::new(false, keyed(1), None),
        ] {
            let (mine, stored) = (token("mine"), hashing.stored(&token("mine")));
            let forms = hashing.forms(&mine);
            match &stored {
                StoredToken::Raw(raw) => assert_eq!(*raw.key(), forms.raw_key),
                StoredToken::Digest(digest) => assert!(forms.digests.contains(digest)),
            }
            assert!(hashing.verifies(&mine, &stored), "{hashing:?}");
            assert!(!hashing.verifies(&token("other"), &stored), "{hashing:?}");
            assert_eq!(hashing.renewed(&mine, &stored), None, "{hashing:?}");
        }
    }

    #[test]
    fn a_stored_digest_is_never_a_token() {
        for hashing in [
            Hashing::default(),
            Hashing::new(false, Keyring::default(), None),
        ] {
            let StoredToken::Digest(phc) = Hashing::default().stored(&token("mine")) else {
                panic!("hashing is on by default");
            };
            let presented = token(&phc);
            assert!(!hashing.forms(&presented).digests.contains(&phc));
            assert!(!hashing.verifies(&presented, &StoredToken::Digest(phc)));
        }
    }

    #[test]
    fn what_cannot_be_rekeyed_is_renewed_under_a_key() {
        let (plain, old) = (Hashing::default(), Hashing::new(true, keyed(1), None));
        let ring = [1, 2].map(|byte| SecretSlice::from(vec![byte; 32]));
        let new = Hashing::new(true, Keyring::new(ring.into_iter().rev()).unwrap(), None);
        let mine = token("mine");
        let sha512 = TokenDigest::sha512(b"mine").to_phc();
        for stored in [StoredToken::Digest(sha512), old.stored(&mine)] {
            assert_eq!(new.renewed(&mine, &stored), Some(new.stored(&mine)));
            assert_eq!(plain.renewed(&mine, &stored), None);
        }
        assert_eq!(new.renewed(&mine, &plain.stored(&mine)), None);
        let raw = Hashing::new(false, Keyring::default(), None).stored(&mine);
        assert_eq!(new.renewed(&mine, &raw), None);
    }
}
