//! No law, but how fast: run by the examples `sqlite-figures` and
//! `postgres-figures` of the store crates.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Subject;
use super::fixtures::fresh;
use crate::{ChunkStore, NewFreshChunk};

/// How long each measurement takes.
const SPAN: Duration = Duration::from_secs(3);

/// Commits, one after the other and several at once, and polls; prints a line each.
pub async fn print(subject: Subject) {
    subject.with_buckets(&[1]).await;
    for (tasks, count, bytes) in [
        (1, 1, 256),
        (1, 1, 4096),
        (2, 1, 4096),
        (2, 16, 4096),
        (2, 1, 65_536),
        (2, 16, 65_536),
    ] {
        let started = Instant::now();
        let mut running = Vec::new();
        for _ in 0..tasks {
            let chunks = Arc::clone(&subject.chunks);
            running.push(tokio::spawn(commit_for(chunks, count, bytes)));
        }
        let mut commits = 0.0;
        for task in running {
            commits += task.await.unwrap();
        }
        let rate = commits / started.elapsed().as_secs_f64();
        let mb = rate * f64::from(count) * bytes as f64 / 1e6;
        println!("{tasks} x {count} chunks of {bytes} B: {rate:.0} commits/s, {mb:.1} MB/s");
    }
    let mut follower = subject.chunks.follower().await.unwrap();
    let started = Instant::now();
    let first = follower.poll(0).await.unwrap();
    println!(
        "first poll, {} chunks: {:?}",
        first.fresh.len(),
        started.elapsed()
    );
    let (started, mut polls) = (Instant::now(), 0);
    let mut low = first.low;
    while started.elapsed() < SPAN {
        low = follower.poll(low).await.unwrap().low;
        polls += 1;
    }
    println!("idle poll: {:?}", started.elapsed() / polls);
    let ids: Vec<i64> = first.fresh.iter().rev().take(100).map(|r| r.id).collect();
    let started = Instant::now();
    let bodies = subject.chunks.fresh_bodies(&ids).await.unwrap();
    println!("{} bodies: {:?}", bodies.len(), started.elapsed());
}

async fn commit_for(chunks: Arc<dyn ChunkStore>, count: i32, bytes: usize) -> f64 {
    let started = Instant::now();
    let mut commits = 0.0;
    let body: Vec<u8> = (0..bytes as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect();
    while started.elapsed() < SPAN {
        let group: Vec<NewFreshChunk> = (0..count)
            .map(|part| NewFreshChunk {
                body: body.clone(),
                ..fresh(1, part, b"cpu")
            })
            .collect();
        chunks.commit(group).await.unwrap();
        commits += 1.0;
    }
    commits
}
