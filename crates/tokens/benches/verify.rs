//! What it costs to verify a token that no cache knows: `cargo bench -p influxd-tokens`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use influxd_tokens::{ApiToken, Hashing, Keyring, OsRandomness};
use secrecy::SecretSlice;

/// A presented token against its stored form, as the resolver does it.
fn verify(c: &mut Criterion) {
    let key = || SecretSlice::from(vec![7; 32]);
    let ring = Keyring::new([key()]).expect("a key of 32 bytes");
    let token = ApiToken::generate(&OsRandomness);
    let mut group = c.benchmark_group("verify");
    for (name, hashing) in [
        ("SHA-256", Hashing::default()),
        ("HMAC-SHA-256", Hashing::new(true, ring, None)),
        ("raw", Hashing::new(false, Keyring::default(), None)),
    ] {
        let stored = hashing.stored(&token);
        group.bench_function(name, |b| {
            b.iter(|| hashing.verifies(black_box(&token), black_box(&stored)));
        });
    }
    let hashing = Hashing::default();
    group.bench_function("every form to look for", |b| {
        b.iter(|| hashing.forms(black_box(&token)));
    });
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
