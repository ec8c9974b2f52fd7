//! The vectors: replies as data, for this client and for any other. Their form is in `README.md`.

mod files;
mod json;
mod replies;
