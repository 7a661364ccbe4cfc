"""Many different emoji, each of one character that is fully qualified as it is."""

MANY = [chr(code) for code in (*range(0x1F400, 0x1F43F), *range(0x1F600, 0x1F650))]
