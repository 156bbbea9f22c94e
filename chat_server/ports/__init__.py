"""The interfaces that the services need. Adapters implement them; `app.py` alone knows which.

A port states its MUSTs. Everything here is structural (`typing.Protocol`): an adapter imports nothing from here
but the plain records. One module for each port, or those that belong together; everybody imports them from here.
"""

from chat_server.ports.blobs import BLOB_YOUNG as BLOB_YOUNG
from chat_server.ports.blobs import Blob as Blob
from chat_server.ports.blobs import BlobStore as BlobStore
from chat_server.ports.blobs import Incoming as Incoming
from chat_server.ports.blobs import Opened as Opened
from chat_server.ports.blobs import Part as Part
from chat_server.ports.database import AnyStorage as AnyStorage
from chat_server.ports.database import Reader as Reader
from chat_server.ports.database import Row as Row
from chat_server.ports.database import Storage as Storage
from chat_server.ports.database import T as T
from chat_server.ports.database import Tx as Tx
from chat_server.ports.database import Value as Value
from chat_server.ports.decoding import SCRATCH as SCRATCH
from chat_server.ports.decoding import Derived as Derived
from chat_server.ports.decoding import Document as Document
from chat_server.ports.decoding import Documents as Documents
from chat_server.ports.decoding import Photo as Photo
from chat_server.ports.decoding import Photos as Photos
from chat_server.ports.passwords import Passwords as Passwords
from chat_server.ports.printing import NotePress as NotePress
from chat_server.ports.processes import ITEM_BYTES as ITEM_BYTES
from chat_server.ports.processes import Bus as Bus
from chat_server.ports.processes import Clock as Clock
from chat_server.ports.processes import Leadership as Leadership
from chat_server.ports.pushes import PushDecided as PushDecided
from chat_server.ports.pushes import PushEntry as PushEntry
from chat_server.ports.pushes import PushRecord as PushRecord
from chat_server.ports.receiving import Disarmed as Disarmed
from chat_server.ports.receiving import Sanitizer as Sanitizer
from chat_server.ports.receiving import SealBroken as SealBroken
from chat_server.ports.receiving import Seals as Seals
from chat_server.ports.searching import MESSAGES as MESSAGES
from chat_server.ports.searching import NOTE_KEYS as NOTE_KEYS
from chat_server.ports.searching import NOTES as NOTES
from chat_server.ports.searching import PARTS as PARTS
from chat_server.ports.searching import Hit as Hit
from chat_server.ports.searching import SearchIndex as SearchIndex
from chat_server.ports.searching import Sought as Sought
from chat_server.ports.searching import Text as Text
from chat_server.ports.webhooks import Webhooks as Webhooks
