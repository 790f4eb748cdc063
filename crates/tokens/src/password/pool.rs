//! The threads that hash. They are few, they are our own, and they step back: requests that need
//! no hash run on other threads, and come first.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use super::PasswordError;
use super::hash::{KEEP_MEMORY, Memory};
use super::queue::{Entered, Next, Origin, Queue};

/// How much less than other threads those that hash may have: about a tenth, where all want to
/// run.
const NICE: i32 = 10;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// Threads, and what waits for them. Dropped, they end after the hashes they are at, and what
/// waits is [`PasswordError::Busy`].
#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// Hashes made since the start.
    done: AtomicU64,
}

#[derive(Default)]
struct State {
    queue: Queue<Job>,
    stopped: bool,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("waiting", &self.lock().queue.len())
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn start(threads: usize) -> io::Result<Self> {
        let pool = Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                changed: Condvar::new(),
                done: AtomicU64::new(0),
            }),
        };
        for _ in 0..threads.max(1) {
            let shared = Arc::clone(&pool.shared);
            std::thread::Builder::new()
                .name("passwords".to_owned())
                .spawn(move || shared.work())?;
        }
        Ok(pool)
    }

    /// Runs a hash for somebody at `from`, not before `due`; `clean`: nothing is held against
    /// them. `Busy` if there is no place for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        from: IpAddr,
        due: Instant,
        clean: bool,
        hash: impl FnOnce(&mut Memory) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let (sender, receiver) = oneshot::channel();
        let shared = Arc::clone(&self.shared);
        let job: Job = Box::new(move |memory| {
            // Whoever asked may be gone, and with them the need.
            if !sender.is_closed() {
                shared.done.fetch_add(1, Ordering::Relaxed);
                let _ = sender.send(hash(memory));
            }
        });
        {
            let mut state = self.shared.lock();
            match state.queue.enter(Origin::from(from), due, clean, job) {
                // A job that had to leave is dropped here, which tells who waits for it.
                Entered::Waits | Entered::Instead(_) => {}
                Entered::Full(_) => return Err(PasswordError::Busy),
            }
        }
        self.shared.changed.notify_one();
        receiver.await.unwrap_or(Err(PasswordError::Busy))
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().queue.len()
    }

    /// How many hashes were made since the start.
    pub(super) fn done(&self) -> u64 {
        self.shared.done.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let left = {
            let mut state = self.shared.lock();
            state.stopped = true;
            std::mem::take(&mut state.queue)
        };
        drop(left);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each thread does until the pool is dropped.
    fn work(&self) {
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::warn!(%error, "the threads that hash passwords have the priority of others");
        }
        let mut memory = Memory::default();
        while let Some(job) = self.next(&mut memory) {
            if std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
                tracing::error!("hashing a password panicked");
            }
        }
    }

    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.stopped {
                return None;
            }
            let now = Instant::now();
            let wait = match state.queue.next(now) {
                Next::Now(job) => return Some(job),
                Next::At(due) => due.saturating_duration_since(now).min(KEEP_MEMORY),
                Next::Nothing => KEEP_MEMORY,
            };
            let waited = self.changed.wait_timeout(state, wait);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && state.queue.len() == 0 {
                memory.release();
                state = self.until_changed(state);
            }
        }
    }

    /// With nothing to do and nothing to give back, a thread sleeps without a clock.
    fn until_changed<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        while state.queue.len() == 0 && !state.stopped {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}
