//! A value of the application's own that rides on an object.

use std::any::Any;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

/// Anything that the application wants to find again on an object.
///
/// It stays in the process that set it: it is never serialized and other processes see the default, `()`.
#[derive(Debug, Clone)]
pub struct AppData(Arc<dyn Any + Send + Sync>);

impl AppData {
    /// Wraps a value; [`downcast_ref`](std::any::Any) on the content gives it back.
    pub fn new<T: Any + Send + Sync>(app_data: T) -> Self {
        Self(Arc::new(app_data))
    }
}

impl Default for AppData {
    fn default() -> Self {
        static NOTHING: LazyLock<AppData> = LazyLock::new(|| AppData::new(()));
        NOTHING.clone()
    }
}

impl Deref for AppData {
    type Target = Arc<dyn Any + Send + Sync>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for AppData {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
