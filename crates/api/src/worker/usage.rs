//! What a Worker takes of the machine.

use serde::{Deserialize, Serialize};

/// What a Worker has taken since it began, as `getrusage` counts it for one thread. The names are those of mediasoup's Node.js
/// side, which counts a process: what the system doesn't count per thread (memory above all) is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
pub struct WorkerResourceUsage {
    /// Milliseconds of CPU in its own code.
    pub ru_utime: u64,
    /// Milliseconds of CPU in the system's.
    pub ru_stime: u64,
    /// Page faults that took no reading.
    pub ru_minflt: u64,
    /// Page faults that did.
    pub ru_majflt: u64,
    /// Times that the file system had to read.
    pub ru_inblock: u64,
    /// Times that the file system had to write.
    pub ru_oublock: u64,
    /// Times that it gave the CPU up to wait.
    pub ru_nvcsw: u64,
    /// Times that the CPU was taken from it.
    pub ru_nivcsw: u64,
}
