//! Accepted connections whose PROXY header has not come yet. Their owner does not hear of them before.
//!
//! Each has a task that waits for its header. What becomes of a connection is told by whoever takes it
//! out of [`Pending`]: its own task, a newer connection that needs the room, or the end of the listener.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::timeout;

use crate::core::engine::Shared;
use crate::core::event::{DropReason, Dropped, Event};
use crate::core::listener::{Admission, Listener, admit};
use crate::core::lock;
use crate::core::proxy::{Header, HeaderReader};
use crate::core::transport::Transport;

/// Connections of one listener that may wait for their header. A proxy sends it together with the
/// connection, so only a peer that has none in mind waits for long: when there is no room, the oldest
/// one goes, and a flood of silent peers keeps nobody out.
pub const MOST_PENDING: usize = 1024;

/// Bytes per read. A header is rarely longer.
const PIECE: usize = 256;

/// The connections of one listener that wait for their header, by age.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    next: u64,
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    transport: Arc<Transport>,
    task: AbortHandle,
}

impl Pending {
    fn take(&self, number: u64) -> Option<Connection> {
        lock(&self.0).connections.remove(&number)
    }

    fn take_oldest(&self) -> Option<Connection> {
        lock(&self.0)
            .connections
            .pop_first()
            .map(|(_, oldest)| oldest)
    }

    fn is_full(&self) -> bool {
        lock(&self.0).connections.len() >= MOST_PENDING
    }

    /// The listener ends, and with it the connections that it has not shown to its owner.
    pub(crate) fn close(&self, engine: &Shared, listener: &Listener) {
        while let Some(connection) = self.take_oldest() {
            connection.drop_for(DropReason::Closed, engine, listener);
        }
    }
}

impl Connection {
    /// Tells the owner, and lets the descriptor go.
    fn drop_for(self, reason: DropReason, engine: &Shared, listener: &Listener) {
        self.task.abort();
        let dropped = Box::new(Dropped {
            reason,
            local: self.transport.local_addr().ok(),
            remote: self.transport.peer_addr().ok(),
        });
        drop(self.transport);
        listener.add_undelivered();
        engine.emit(Event::Dropped {
            listener: listener.id(),
            dropped,
        });
    }
}

/// Waits for the header of a new connection, for `limit`, and admits the connection then.
pub(crate) fn await_header(
    engine: &Arc<Shared>,
    listener: &Arc<Listener>,
    transport: Transport,
    limit: Duration,
    admission: &Arc<Admission>,
) {
    let pending = listener.pending();
    if pending.is_full()
        && let Some(oldest) = pending.take_oldest()
    {
        oldest.drop_for(DropReason::Overload, engine, listener);
    }
    let transport = Arc::new(transport);
    // Under the lock, so that the task finds its connection however early it runs.
    let mut waiting = lock(&pending.0);
    let number = waiting.next;
    waiting.next += 1;
    let task = tokio::spawn({
        let (engine, listener) = (Arc::clone(engine), Arc::clone(listener));
        let (transport, admission) = (Arc::clone(&transport), Arc::clone(admission));
        async move {
            let header = timeout(limit, receive(&transport)).await;
            drop(transport);
            let Some(connection) = listener.pending().take(number) else {
                return; // Somebody else has told what became of it.
            };
            match header.unwrap_or(Err(DropReason::Timeout)) {
                Ok(header) => admit(&engine, &listener, connection.transport, header, &admission),
                Err(reason) => connection.drop_for(reason, &engine, &listener),
            }
        }
    });
    waiting.connections.insert(
        number,
        Connection {
            transport,
            task: task.abort_handle(),
        },
    );
}

/// Receives a header and not one byte more.
///
/// Cancel safety: what was received so far is lost, and with it the connection.
async fn receive(transport: &Transport) -> Result<Header, DropReason> {
    let gone = |_: io::Error| DropReason::Incomplete;
    let mut reader = HeaderReader::default();
    let mut buffer = [0; PIECE];
    loop {
        poll_fn(|cx| transport.poll_read_ready(cx))
            .await
            .map_err(gone)?;
        let wanted = reader.wanted().min(PIECE);
        match transport.try_read(&mut buffer[..wanted]) {
            Ok(0) => return Err(DropReason::Incomplete),
            Ok(len) => match reader.push(&buffer[..len]) {
                Ok(None) => {}
                Ok(Some(header)) => return Ok(header),
                Err(_) => return Err(DropReason::Malformed),
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(gone(error)),
        }
    }
}
