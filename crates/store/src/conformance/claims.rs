//! Claims on work, among all servers.

use std::time::Duration;

use super::Subject;
use crate::Claim;

/// On either server, the claiming one included.
pub async fn a_claim_is_exclusive_until_it_is_dropped(subject: Subject) {
    for key in [i64::MIN, 0, i64::MAX] {
        let claim = subject.chunks.claim(key).await.unwrap();
        assert!(claim.is_some());
        for chunks in [&subject.chunks, &subject.other_chunks] {
            assert!(chunks.claim(key).await.unwrap().is_none());
        }
        drop(claim);
        for chunks in [&subject.other_chunks, &subject.chunks] {
            let mut claim: Option<Box<dyn Claim>> = None;
            // Giving it back takes a moment, where a database has to be told.
            for _ in 0..500 {
                claim = chunks.claim(key).await.unwrap();
                if claim.is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert!(claim.is_some(), "{key} was not given back");
        }
    }
}

/// Many can be held at once.
pub async fn different_keys_do_not_meet(subject: Subject) {
    let mut claims = Vec::new();
    for key in 0..40 {
        let chunks = if key % 2 == 0 {
            &subject.chunks
        } else {
            &subject.other_chunks
        };
        let claim = chunks.claim(key << 32 | 7).await.unwrap();
        claims.push(claim.unwrap());
    }
}
