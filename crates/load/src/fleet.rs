//! All threads of a run, seen as one.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::driver::{Command, Driver, Final, PeerId, Poster, Snapshot, mailbox};

/// One thread.
#[derive(Debug)]
struct Crew {
    poster: Poster,
    shared: Arc<Mutex<Snapshot>>,
    handle: JoinHandle<Final>,
}

/// Threads that drive clients; each client belongs to one of them.
#[derive(Debug)]
pub(crate) struct Fleet {
    crews: Vec<Crew>,
}

/// A thread is gone that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a thread of the load generator has ended")]
pub struct ThreadGone;

impl Fleet {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system refuses a thread or what it needs.
    pub(crate) fn start(threads: usize, peers_per_socket: usize) -> io::Result<Self> {
        let start = |number: usize| {
            let (poster, mailbox) = mailbox()?;
            let shared = Arc::new(Mutex::new(Snapshot::default()));
            let driver = Driver::new(mailbox, peers_per_socket, Arc::clone(&shared))?;
            let builder = std::thread::Builder::new().name(format!("load-{number}"));
            let handle = builder.spawn(move || driver.run())?;
            Ok(Crew { poster, shared, handle })
        };
        let crews = (0..threads.max(1)).map(start).collect::<io::Result<_>>()?;
        Ok(Self { crews })
    }

    /// Tells the thread of a client something.
    ///
    /// # Errors
    /// [`ThreadGone`].
    pub(crate) fn tell(&self, peer: PeerId, command: Command) -> Result<(), ThreadGone> {
        let crew = self.crews.get(peer.0 as usize % self.crews.len()).ok_or(ThreadGone)?;
        if crew.poster.post(command) { Ok(()) } else { Err(ThreadGone) }
    }

    /// Tells all threads something.
    ///
    /// # Errors
    /// [`ThreadGone`].
    pub(crate) fn tell_all(&self, command: impl Fn() -> Command) -> Result<(), ThreadGone> {
        let told = self.crews.iter().filter(|crew| crew.poster.post(command())).count();
        if told == self.crews.len() { Ok(()) } else { Err(ThreadGone) }
    }

    /// The sums over all threads, a fraction of a second old.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut sum = Snapshot::default();
        for crew in &self.crews {
            sum.merge(&crew.shared.lock().unwrap_or_else(PoisonError::into_inner));
        }
        sum
    }

    /// Ends all threads and collects what they tell.
    ///
    /// # Errors
    /// [`ThreadGone`] if one of them had panicked.
    pub(crate) fn stop(self, made: Vec<(u32, u64)>) -> Result<Final, ThreadGone> {
        let made = Arc::new(made.into_iter().collect::<hashbrown::HashMap<_, _>>());
        let mut last = Final::default();
        for crew in self.crews {
            crew.poster.post(Command::Stop(Arc::clone(&made)));
            last.merge(crew.handle.join().map_err(|_| ThreadGone)?);
        }
        Ok(last)
    }
}
