//! The root of all handles.
