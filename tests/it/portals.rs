//! Portals: a journey through a proxy like Backstage's, and the files under `docs/portals`.

mod documents;
mod journey;
mod proxy;
mod runs;
mod template;
