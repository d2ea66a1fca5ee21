//! The handshake's place in the life of a stream: between the connection and the first byte.
//!
//! Nothing is read for the owner and nothing that it wrote is sent before the handshake is over and,
//! where the owner has to look at the peer's certificate, before it has.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::time::{Sleep, sleep};

use crate::core::engine::Shared;
use crate::core::event::{Event, HandleId};
use crate::core::tls::failure::Failure;
use crate::core::transport::tls::{Answer, Progress, Tls};

/// One handshake under way.
#[derive(Debug)]
pub(crate) struct Secure {
    deadline: Option<Pin<Box<Sleep>>>,
    /// All is agreed, and the owner looks at the peer's certificate.
    is_asking: bool,
}

impl Secure {
    /// The handshake of `tls` begins. Needs to be called inside of a runtime.
    pub(crate) fn new(tls: &Tls) -> Self {
        Self {
            deadline: tls.timeout().map(|time| Box::pin(sleep(time))),
            is_asking: false,
        }
    }

    /// Ready when records may flow.
    ///
    /// # Errors
    /// What failed; the connection is of no use any more.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        engine: &Shared,
        id: HandleId,
        tls: &Tls,
    ) -> Poll<io::Result<()>> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(Failure::TIMEOUT.into()));
        }
        loop {
            if self.is_asking {
                return match tls.take_answer() {
                    None => Poll::Pending,
                    Some(Answer::Accept) => Poll::Ready(Ok(())),
                    Some(_) => Poll::Ready(Err(Failure::REFUSED.into())),
                };
            }
            match std::task::ready!(tls.poll_handshake(cx))? {
                Progress::Named => engine.emit(Event::Named { id }),
                Progress::Agreed { needs_owner } => {
                    self.deadline = None;
                    engine.emit(Event::Secured { id, needs_owner });
                    if !needs_owner {
                        return Poll::Ready(Ok(()));
                    }
                    self.is_asking = true;
                }
            }
        }
    }
}
