//! The ingest thread: takes bodies, fills the present group, seals it when the store is free.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use foldhash::fast::RandomState;
use influxd_line_protocol::parse;
use influxd_model::BucketId;
use influxd_store::{Agreed, ChunkStore, FieldWant, StoreError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::body::{Body, Event, Member, Queue, answer};
use super::bucket::BucketTables;
use super::committer::Committer;
use super::seal::{self, Share};
use super::sink::BodySink;
use super::stats::WriteStats;
use super::{WriteError, WriteRequest};

/// How much may wait and how large a group may grow.
#[derive(Debug, Clone, Copy)]
pub struct IngestOptions {
    /// Above so many bytes of waiting bodies further ones are refused.
    pub queue_bytes: usize,
    /// With so many values a group takes no further body until the store takes it.
    pub group_values: usize,
    /// The same for bytes of strings.
    pub group_string_bytes: usize,
    /// Above so many bytes what is known of series keys is forgotten and learned anew.
    pub key_bytes: usize,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self {
            queue_bytes: 64 << 20,
            group_values: 1_000_000,
            group_string_bytes: 4 << 20,
            key_bytes: 512 << 20,
        }
    }
}

/// How often a body is read again because its bucket's types changed meanwhile.
const MAX_ATTEMPTS: u32 = 100;

/// Groups below so many values are encoded where they were parsed: a hand-over costs more.
const SMALL_GROUP: usize = 20_000;

/// The way in. Cheap to share; the thread ends with [`Ingest::close`].
#[derive(Debug)]
pub struct Ingest {
    events: mpsc::Sender<Event>,
    queue: Arc<Queue>,
    options: IngestOptions,
}

impl Ingest {
    /// Starts the thread. `runtime` runs the commits.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        store: Arc<dyn ChunkStore>,
        runtime: Handle,
        options: IngestOptions,
        stats: WriteStats,
        committed: Arc<dyn Fn() + Send + Sync>,
    ) -> std::io::Result<Self> {
        let (events, queue) = mpsc::channel();
        let gauge = stats.queued_bytes.clone();
        let thread = Thread {
            committer: Arc::new(Committer {
                store,
                events: events.clone(),
                in_flight: AtomicUsize::new(0),
                stats,
                committed,
            }),
            runtime,
            options,
            buckets: HashMap::default(),
            group: Group::default(),
            bodies: 0,
            groups: 0,
            waiting: 0,
        };
        std::thread::Builder::new()
            .name("ingest".into())
            .spawn(move || thread.run(&queue))?;
        Ok(Self {
            events,
            queue: Arc::new(Queue {
                bytes: AtomicUsize::new(0),
                gauge,
            }),
            options,
        })
    }

    /// Stores a body; returns when it is durable.
    pub async fn write(&self, request: WriteRequest) -> Result<(), WriteError> {
        let bytes = request.body.len();
        let queued = self.queue.enter(bytes);
        let (answer, result) = oneshot::channel();
        let answer = Some(answer);
        let body = Body {
            request,
            answer,
            attempts: 0,
            alone: false,
            queue: Arc::clone(&self.queue),
        };
        if queued > 0 && queued + bytes > self.options.queue_bytes {
            return Err(WriteError::QueueFull);
        }
        let gone = || StoreError::Unavailable("the engine has stopped".into());
        self.events
            .send(Event::Body(Box::new(body)))
            .map_err(|_| gone())?;
        result.await.map_err(|_| gone())?
    }

    /// Commits everything accepted, then ends the thread.
    pub async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.events.send(Event::Close(done)).is_ok() {
            // An error says that the thread is gone already.
            let _ = closed.await;
        }
    }
}

#[derive(Debug, Default)]
struct Group {
    members: Vec<Member>,
    values: usize,
    string_bytes: usize,
    /// Takes no further body.
    is_closed: bool,
}

struct Thread {
    committer: Arc<Committer>,
    runtime: Handle,
    options: IngestOptions,
    buckets: HashMap<BucketId, BucketTables, RandomState>,
    group: Group,
    bodies: u64,
    groups: u64,
    /// Bodies that wait for an agreement.
    waiting: usize,
}

impl Thread {
    fn run(mut self, queue: &mpsc::Receiver<Event>) {
        let mut closing: Option<oneshot::Sender<()>> = None;
        loop {
            // A full group waits for the store: bodies stay in the queue meanwhile.
            let event = match queue.try_recv() {
                Ok(event) => event,
                Err(mpsc::TryRecvError::Empty) => {
                    self.seal_if_free();
                    if closing.is_some() && self.is_idle() {
                        break;
                    }
                    match queue.recv() {
                        Ok(event) => event,
                        Err(mpsc::RecvError) => break,
                    }
                }
                Err(mpsc::TryRecvError::Disconnected) => break,
            };
            match event {
                Event::Body(body) => self.take_guarded(body),
                Event::Agreed(body, agreed) => self.agreed(body, agreed),
                Event::Again(members) => self.again(members),
                Event::SlotFree => {}
                Event::Close(done) => closing = Some(done),
            }
            if self.group.values >= SMALL_GROUP || self.group.is_closed {
                self.seal_if_free();
            }
        }
        if let Some(done) = closing {
            // Whoever asked may have gone away.
            let _ = done.send(());
        }
    }

    fn is_idle(&self) -> bool {
        self.group.members.is_empty()
            && self.waiting == 0
            && self.committer.in_flight.load(Ordering::Acquire) == 0
    }

    /// Like [`Self::take`]; a panic, which would be a defect, costs its group and no more.
    fn take_guarded(&mut self, body: Box<Body>) {
        let taken = catch_unwind(AssertUnwindSafe(|| self.take(body)));
        if taken.is_err() {
            tracing::error!("reading a body panicked; its group is given up");
            self.buckets.clear();
            for member in std::mem::take(&mut self.group).members {
                let error = StoreError::Unavailable("the group was given up".into());
                answer(member.body, Err(WriteError::Store(error)));
            }
        }
    }

    /// Reads a body into the group, after the group before it went if that one is full.
    fn take(&mut self, body: Box<Body>) {
        if self.group.is_closed || (body.alone && !self.group.members.is_empty()) {
            self.seal();
        }
        self.bodies += 1;
        let bucket_id = body.request.grant.bucket();
        let bucket = self.buckets.entry(bucket_id).or_default();
        let request = &body.request;
        let lower_bound = request
            .retention
            .map_or(i64::MIN, |kept| request.now.saturating_sub(kept));
        let epoch = bucket.epoch();
        let mut sink = BodySink::new(bucket, self.bodies, lower_bound, request.default_time);
        let parsed = parse(&request.body, request.precision, &mut sink);
        let outcome = sink.finish();
        let points = match parsed {
            Ok(points) if outcome.wants.is_empty() => points,
            result => {
                for (table, mark) in &outcome.began {
                    bucket.tables[*table as usize].undo(*mark);
                }
                match result {
                    Ok(_) => self.ask(body, outcome.wants),
                    Err(errors) => answer(body, Err(WriteError::Parse(errors))),
                }
                return;
            }
        };
        let partial = outcome
            .refusals
            .finish(bucket_id, request.retention, request.now);
        if outcome
            .began
            .iter()
            .all(|(t, mark)| bucket.tables[*t as usize].mark() == *mark)
        {
            // Nothing of it has to be stored.
            self.committer
                .stats
                .refused
                .inc_by(partial.as_ref().map_or(0, |p| p.dropped as u64));
            answer(
                body,
                partial.map_or(Ok(()), |partial| Err(WriteError::Partial(partial))),
            );
            return;
        }
        bucket.group_epoch.get_or_insert(epoch);
        bucket
            .group_tables
            .extend(outcome.began.iter().map(|(table, _)| *table));
        self.group.values += outcome.values;
        self.group.string_bytes += outcome.string_bytes;
        self.group.is_closed = body.alone
            || self.group.values >= self.options.group_values
            || self.group.string_bytes >= self.options.group_string_bytes;
        let points = points - partial.as_ref().map_or(0, |p| p.dropped.min(points));
        self.group.members.push(Member {
            body,
            partial,
            points,
        });
    }

    /// Has windows and types agreed; the body waits aside.
    fn ask(&mut self, mut body: Box<Body>, wants: Vec<FieldWant>) {
        body.attempts += 1;
        if body.attempts > MAX_ATTEMPTS {
            let error = StoreError::Unavailable("field types changed without end".into());
            answer(body, Err(WriteError::Store(error)));
            return;
        }
        self.waiting += 1;
        self.committer.stats.agreements.inc();
        let committer = Arc::clone(&self.committer);
        self.runtime.spawn(async move {
            let agreed = committer
                .store
                .agree(body.request.grant.bucket(), wants)
                .await;
            // Without the thread there is nobody left to answer.
            let _ = committer.events.send(Event::Agreed(body, agreed));
        });
    }

    fn agreed(&mut self, body: Box<Body>, agreed: Result<Agreed, StoreError>) {
        self.waiting -= 1;
        match agreed {
            Ok(agreed) => {
                let bucket = self.buckets.entry(body.request.grant.bucket()).or_default();
                bucket.agree(&agreed);
                self.take(body);
            }
            Err(StoreError::NotFound(_)) => {
                if self.group.members.is_empty() {
                    self.buckets.remove(&body.request.grant.bucket());
                }
                answer(body, Err(WriteError::BucketGone));
            }
            Err(error) => answer(body, Err(WriteError::Store(error))),
        }
    }

    fn again(&mut self, members: Vec<Member>) {
        for member in &members {
            if let Some(bucket) = self.buckets.get_mut(&member.body.request.grant.bucket()) {
                bucket.forget_agreed();
            }
        }
        for member in members {
            self.take(member.body);
        }
    }

    fn seal_if_free(&mut self) {
        let in_flight = self.committer.in_flight.load(Ordering::Acquire);
        if !self.group.members.is_empty() && in_flight < self.committer.store.commits_in_flight() {
            self.seal();
        }
    }

    /// Hands the group over to be committed.
    fn seal(&mut self) {
        let group = std::mem::take(&mut self.group);
        if group.members.is_empty() {
            return;
        }
        let mut shares = Vec::new();
        for (id, bucket) in &mut self.buckets {
            let Some(epoch) = bucket.group_epoch.take() else {
                continue;
            };
            for table in std::mem::take(&mut bucket.group_tables) {
                let table = &mut bucket.tables[table as usize];
                // A table that several bodies touched is taken once.
                if table.has_rows() {
                    let measurement = table.measurement.clone();
                    let rows = table.take_rows();
                    shares.push(Share {
                        bucket: *id,
                        epoch,
                        measurement,
                        rows,
                    });
                }
            }
        }
        self.groups += 1;
        if self.groups.is_multiple_of(64) {
            let bytes = self
                .buckets
                .values()
                .map(BucketTables::bytes)
                .sum::<usize>();
            if bytes > self.options.key_bytes {
                self.buckets.clear();
            }
        }
        let committer = Arc::clone(&self.committer);
        committer.in_flight.fetch_add(1, Ordering::AcqRel);
        if group.values < SMALL_GROUP {
            let encoded = seal::encode(shares);
            self.runtime
                .spawn(committer.commit(group.members, Ok(encoded)));
        } else {
            self.runtime.spawn(async move {
                let encoded = tokio::task::spawn_blocking(move || seal::encode(shares)).await;
                let encoded = encoded.map_err(|error| StoreError::Refused(error.into()));
                committer.commit(group.members, encoded).await;
            });
        }
    }
}
