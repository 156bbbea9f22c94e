-- Rooms are found by their reading, too: 「どうろ」 finds 道路パトロール.

ALTER TABLE rooms ADD COLUMN reading TEXT NOT NULL DEFAULT '';    -- hiragana, digits, letters; empty: none was given
