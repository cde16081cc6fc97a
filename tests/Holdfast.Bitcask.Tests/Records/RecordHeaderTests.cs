using Holdfast.Bitcask.Records;

namespace Holdfast.Bitcask.Tests.Records;

public sealed class RecordHeaderTests
{
    [Theory]
    [InlineData(1UL, 1, 1, null, 0)]
    [InlineData(1UL, 1, 1, 0L, 0)]
    [InlineData(2UL, 1, 16, long.MinValue, 128)]
    [InlineData(ulong.MaxValue, 1, 65_535, long.MaxValue, 1)]
    [InlineData(ulong.MaxValue, 2, 65_535, null, 0)]
    [InlineData(7UL, 2, 1, null, 0)]
    public void ARecordReadsAsItWasWritten(ulong sequence, int kind, int keyBytes, long? expiry, int valueBytes)
    {
        var header = new RecordHeader(sequence, (RecordKind)kind, keyBytes, expiry);
        byte[] payload = new byte[header.Size + keyBytes + valueBytes];
        new Random(1).NextBytes(payload);
        header.Encode(payload);

        Assert.True(RecordHeader.TryDecode(payload, out RecordHeader read));

        Assert.Equal(header, read);
        Assert.Equal(payload[header.Size..(header.Size + keyBytes)], read.KeyOf(payload).ToArray());
        Assert.Equal(payload[(header.Size + keyBytes)..], read.ValueOf(payload).ToArray());
        Assert.Equal(valueBytes, payload.Length - read.ValueOffset);
    }

    [Fact]
    public void TheBytesAreThoseOfTheFormat()
    {
        byte[] payload = new byte[21];
        new RecordHeader(0x0102, RecordKind.Put, 1, 0x0304).Encode(payload);
        Assert.Equal("020100000000000001010100040300000000000000", Convert.ToHexStringLower(payload));
        Array.Clear(payload);
        new RecordHeader(5, RecordKind.Delete, 0x0201, null).Encode(payload);
        Assert.Equal("050000000000000002000102", Convert.ToHexStringLower(payload.AsSpan(0, 12)));
    }

    [Theory]
    [InlineData("", "nothing")]
    [InlineData("0100000000000000010001", "less than a header")]
    [InlineData("010000000000000001000100", "no byte of the key")]
    [InlineData("01000000000000000100020061", "half a key")]
    [InlineData("00000000000000000100010061", "sequence 0")]
    [InlineData("01000000000000000000010061", "kind 0")]
    [InlineData("01000000000000000300010061", "kind 3")]
    [InlineData("01000000000000000100000061", "a key of no bytes")]
    [InlineData("010000000000000001020100000000000000000061", "an unknown flag")]
    [InlineData("010000000000000001030100000000000000000061", "an unknown flag beside a known one")]
    [InlineData("0100000000000000010101006161616161616161", "an expiry and no key")]
    [InlineData("010000000000000001010100616161", "half an expiry")]
    [InlineData("0100000000000000020001006161", "a tombstone with a value")]
    [InlineData("010000000000000002010100000000000000000061", "a tombstone that expires")]
    [InlineData("00000000000000000000000000000000", "zeros")]
    public void WhatIsNoRecordIsRefused(string payload, string what)
    {
        Assert.False(RecordHeader.TryDecode(Convert.FromHexString(payload), out _), what);
    }

    [Theory]
    [InlineData(0UL, 1, 1, null)]
    [InlineData(1UL, 0, 1, null)]
    [InlineData(1UL, 3, 1, null)]
    [InlineData(1UL, 1, 0, null)]
    [InlineData(1UL, 1, 65_536, null)]
    [InlineData(1UL, 1, -1, null)]
    [InlineData(1UL, 2, 1, 5L)]
    public void WhatCouldNotBeReadIsNotWritten(ulong sequence, int kind, int keyBytes, long? expiry)
    {
        var header = new RecordHeader(sequence, (RecordKind)kind, keyBytes, expiry);
        Assert.Throws<ArgumentException>(() => header.Encode(new byte[RecordHeader.MaxSize]));
    }

    [Theory, InlineData(1), InlineData(20260101)]
    public void AnyBytesAreReadAsTheyWouldBeWrittenOrRefused(int seed)
    {
        var random = new Random(seed);
        byte[] bytes = new byte[64], again = new byte[RecordHeader.MaxSize];
        int records = 0;
        for (int i = 0; i < 200_000; i++)
        {
            Span<byte> payload = bytes.AsSpan(0, random.Next(bytes.Length + 1));
            random.NextBytes(payload);
            // Else hardly any would be a record.
            if (payload.Length > 11)
            {
                payload[8] &= 3;
                payload[9] &= 1;
                payload[11] = 0;
            }

            if (!RecordHeader.TryDecode(payload, out RecordHeader header)) continue;

            records++;
            header.Encode(again);
            bool isSame = again.AsSpan(0, header.Size).SequenceEqual(payload[..header.Size]);
            Assert.True(isSame, $"seed {seed}, payload {i}");
            Assert.Equal(payload.Length, header.Size + header.KeyOf(payload).Length + header.ValueOf(payload).Length);
        }

        Assert.True(records > 1000, $"seed {seed}: {records} records");
    }
}
