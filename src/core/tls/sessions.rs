//! What a client keeps to resume sessions with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;

/// Tickets of one server, which is as many as rustls keeps for one.
const REMEMBERED: usize = 8;

/// Sessions of one server, which a later connection to it may resume.
#[derive(Clone, Debug)]
pub struct SessionMemory(Arc<dyn ClientSessionStore>);

impl Default for SessionMemory {
    fn default() -> Self {
        Self(Arc::new(ClientSessionMemoryCache::new(REMEMBERED)))
    }
}

/// That memory as one connection sees it: it notices that a session was added.
#[derive(Debug)]
pub(crate) struct Sessions {
    memory: Arc<dyn ClientSessionStore>,
    has_new: AtomicBool,
}

impl Sessions {
    pub(crate) fn new(memory: &SessionMemory) -> Arc<Self> {
        Arc::new(Self {
            memory: Arc::clone(&memory.0),
            has_new: AtomicBool::new(false),
        })
    }

    /// Whether a session was added since this was asked last.
    pub(crate) fn take_new(&self) -> bool {
        self.has_new.swap(false, Ordering::Relaxed)
    }
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, server_name: ServerName<'static>, group: NamedGroup) {
        self.memory.set_kx_hint(server_name, group);
    }

    fn kx_hint(&self, server_name: &ServerName<'_>) -> Option<NamedGroup> {
        self.memory.kx_hint(server_name)
    }

    fn set_tls12_session(&self, server_name: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.has_new.store(true, Ordering::Relaxed);
        self.memory.set_tls12_session(server_name, value);
    }

    fn tls12_session(&self, server_name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.memory.tls12_session(server_name)
    }

    fn remove_tls12_session(&self, server_name: &ServerName<'static>) {
        self.memory.remove_tls12_session(server_name);
    }

    fn insert_tls13_ticket(
        &self,
        server_name: ServerName<'static>,
        value: Tls13ClientSessionValue,
    ) {
        self.has_new.store(true, Ordering::Relaxed);
        self.memory.insert_tls13_ticket(server_name, value);
    }

    fn take_tls13_ticket(
        &self,
        server_name: &ServerName<'static>,
    ) -> Option<Tls13ClientSessionValue> {
        self.memory.take_tls13_ticket(server_name)
    }
}
