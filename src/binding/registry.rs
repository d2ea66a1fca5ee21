//! Handle numbers and what they name.

use std::sync::Arc;

use crate::core::datagram::socket::DatagramSocket;
use crate::core::datagram::udp::Udp;
use crate::core::event::HandleId;
use crate::core::listener::Listener;
use crate::core::stream::Stream;
use crate::core::transport::Transport;

/// What a number names.
#[derive(Debug)]
pub enum Entry {
    /// A connection, or an attempt at one: no transport yet, or none any more.
    Stream(Arc<Stream>, Option<Arc<Transport>>),
    /// A listening socket.
    Listener(Arc<Listener>),
    /// A UDP socket; without its descriptor once it is closed.
    Datagram(Arc<DatagramSocket>, Option<Arc<Udp>>),
}

/// The handles of one environment. An entry stays until its last event is on its way to
/// JavaScript, so that a number never names two handles at once.
#[derive(Debug, Default)]
pub struct Registry {
    entries: Vec<Option<Entry>>,
}

impl Registry {
    /// Adds a handle under the number the engine gave it.
    pub fn insert(&mut self, id: HandleId, entry: Entry) {
        let index = id as usize;
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, || None);
        }
        self.entries[index] = Some(entry);
    }

    /// Forgets a handle.
    pub fn remove(&mut self, id: HandleId) {
        if let Some(entry) = self.entries.get_mut(id as usize) {
            *entry = None;
        }
    }

    /// The handle of that number.
    pub fn get(&self, id: HandleId) -> Option<&Entry> {
        self.entries.get(id as usize)?.as_ref()
    }

    /// The stream of that number.
    pub fn stream(&self, id: HandleId) -> Option<&Arc<Stream>> {
        match self.get(id)? {
            Entry::Stream(stream, _) => Some(stream),
            _ => None,
        }
    }

    /// The stream of that number with its transport, if it is connected.
    pub fn open(&self, id: HandleId) -> Option<(&Arc<Stream>, &Arc<Transport>)> {
        match self.get(id)? {
            Entry::Stream(stream, Some(transport)) => Some((stream, transport)),
            _ => None,
        }
    }

    /// The listener of that number.
    pub fn listener(&self, id: HandleId) -> Option<&Arc<Listener>> {
        match self.get(id)? {
            Entry::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    /// The UDP socket of that number, if it is open.
    pub fn datagram(&self, id: HandleId) -> Option<(&Arc<DatagramSocket>, &Arc<Udp>)> {
        match self.get(id)? {
            Entry::Datagram(socket, Some(udp)) => Some((socket, udp)),
            _ => None,
        }
    }

    /// Lets go of a UDP socket's descriptor. `None`: it had none any more.
    pub fn close_datagram(&mut self, id: HandleId) -> Option<Arc<DatagramSocket>> {
        match self.entries.get_mut(id as usize) {
            Some(Some(Entry::Datagram(socket, udp))) => udp.take().map(|_| Arc::clone(socket)),
            _ => None,
        }
    }

    /// The owner is done with `len` bytes that were received.
    pub fn consumed(&self, id: HandleId, len: usize) {
        match self.get(id) {
            Some(Entry::Stream(stream, _)) => stream.consumed(len),
            Some(Entry::Datagram(socket, _)) => socket.consumed(len),
            _ => {}
        }
    }

    /// Gives a connecting stream its transport.
    pub fn connected(&mut self, id: HandleId, connected: Arc<Transport>) {
        if let Some(Some(Entry::Stream(stream, transport))) = self.entries.get_mut(id as usize)
            && !stream.is_closing()
        {
            *transport = Some(connected);
        }
    }

    /// Another transport took a stream's own over.
    pub fn replace(&mut self, id: HandleId, by: Arc<Transport>) {
        if let Some(Some(Entry::Stream(_, Some(transport)))) = self.entries.get_mut(id as usize) {
            *transport = by;
        }
    }

    /// Lets go of a stream's transport, so that the descriptor closes when the engine lets go.
    pub fn disconnect(&mut self, id: HandleId) {
        if let Some(Some(Entry::Stream(_, transport))) = self.entries.get_mut(id as usize) {
            *transport = None;
        }
    }
}
