-- What bots write besides words: posts that they change later, buttons that people press, forms that people answer.

ALTER TABLE bot_events ADD COLUMN user_id BIGINT REFERENCES users(id);   -- press: who
ALTER TABLE bot_events ADD COLUMN message_id BIGINT REFERENCES messages(id);  -- press, answers: of which post

CREATE TABLE bot_posts (                      -- posts that have a name, buttons or a form
  message_id BIGINT NOT NULL PRIMARY KEY REFERENCES messages(id),
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  bot_id BIGINT NOT NULL REFERENCES users(id),
  room_id BIGINT NOT NULL REFERENCES rooms(id),
  name TEXT NOT NULL,                         -- the bot's, empty: it cannot be changed
  answered BIGINT NOT NULL DEFAULT 0,         -- times that an answer to its form was given or changed
  waiting $BYTES,                             -- blocks that it will show: it changed a moment ago
  waiting_at BIGINT
) $COMPACT;
CREATE UNIQUE INDEX bot_posts_name ON bot_posts (bot_id, room_id, name) WHERE name <> '';
CREATE INDEX bot_posts_waiting ON bot_posts (waiting_at) WHERE waiting_at IS NOT NULL;

CREATE TABLE form_answers (                   -- one of each person, the last one
  message_id BIGINT NOT NULL REFERENCES messages(id),
  voter $BYTES NOT NULL,                      -- keyed hash of message and person
  org_id BIGINT NOT NULL REFERENCES organizations(id),
  user_id BIGINT REFERENCES users(id),        -- NULL: the form is secret
  department TEXT NOT NULL DEFAULT '',        -- of the person when it was given
  at BIGINT,                                  -- NULL: the form is secret
  answer $BYTES NOT NULL,                     -- msgpack map of the form's fields
  PRIMARY KEY (message_id, voter)
) $COMPACT;

CREATE UNIQUE INDEX bot_events_answers ON bot_events (message_id) WHERE kind = 'answers';
