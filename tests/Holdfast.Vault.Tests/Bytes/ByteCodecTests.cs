using Holdfast.Vault.Bytes;

namespace Holdfast.Vault.Tests.Bytes;

public sealed class ByteCodecTests
{
    [Theory]
    [InlineData(0UL, 1)]
    [InlineData(1UL, 1)]
    [InlineData(0x7FUL, 1)]
    [InlineData(0x80UL, 2)]
    [InlineData(0x3FFFUL, 2)]
    [InlineData(0x4000UL, 3)]
    [InlineData(uint.MaxValue, 5)]
    [InlineData((ulong)long.MaxValue, 9)]
    [InlineData(1UL << 63, 10)]
    [InlineData(ulong.MaxValue, 10)]
    public void NumbersComeBackInTheirShortestForm(ulong value, int bytes)
    {
        var writer = new ByteWriter(1);
        writer.Varint(value);

        var reader = new ByteReader(writer.Written, "test");

        Assert.Equal(bytes, writer.Length);
        Assert.Equal(value, reader.Varint());
        reader.ExpectEnd();
    }

    [Theory]
    [InlineData(0L, 1)]
    [InlineData(-1L, 1)]
    [InlineData(63L, 1)]
    [InlineData(-64L, 1)]
    [InlineData(64L, 2)]
    [InlineData(long.MaxValue, 10)]
    [InlineData(long.MinValue, 10)]
    public void SignedNumbersComeBack(long value, int bytes)
    {
        var writer = new ByteWriter();
        writer.SignedVarint(value);

        var reader = new ByteReader(writer.Written, "test");

        Assert.Equal(bytes, writer.Length);
        Assert.Equal(value, reader.SignedVarint());
    }

    [Theory]
    [InlineData("")]
    [InlineData("80")]
    [InlineData("ffffffffffffffffff")]
    [InlineData("ffffffffffffffffff02")]
    [InlineData("ffffffffffffffffffff01")]
    [InlineData("80808080808080808080808000")]
    public void NumbersThatAreCutOffOrTooLongAreDamage(string hex) =>
        Assert.Throws<DamageException>(() => new ByteReader(Convert.FromHexString(hex), "test").Varint());

    [Fact]
    public void EverythingWrittenComesBackInOrder()
    {
        var writer = new ByteWriter(1);
        writer.U8(0xAB);
        writer.U16(0x1234);
        writer.U32(0x12345678);
        writer.U64(0x123456789ABCDEF0);
        writer.ByteString([1, 2, 3]);
        writer.Text("größer");
        writer.Bytes([9]);

        var reader = new ByteReader(writer.ToArray(), "test");

        Assert.Equal(0xAB, reader.U8());
        Assert.Equal(0x1234, reader.U16());
        Assert.Equal(0x12345678U, reader.U32());
        Assert.Equal(0x123456789ABCDEF0UL, reader.U64());
        Assert.Equal([1, 2, 3], reader.ByteString().ToArray());
        Assert.Equal("größer", reader.Text());
        Assert.Equal(1, reader.Remaining);
        Assert.Equal(9, reader.U8());
        reader.ExpectEnd();
    }

    [Fact]
    public void ALengthBeyondTheEndIsDamageBeforeAnythingIsAllocated()
    {
        var writer = new ByteWriter();
        writer.Varint(int.MaxValue);
        writer.Bytes(new byte[100]);
        byte[] source = writer.ToArray();

        Assert.Throws<DamageException>(() => new ByteReader(source, "test").ByteString());
        Assert.Throws<DamageException>(() => new ByteReader(source, "test").Count(1, "things"));
        Assert.Throws<DamageException>(() => new ByteReader(source, "test").Bytes(106));
        Assert.Throws<DamageException>(() => new ByteReader(source, "test").Bytes(-1));
        Assert.Throws<DamageException>(() => new ByteReader(source, "test").ExpectEnd());
    }

    [Theory]
    [InlineData(5, 20, true)]
    [InlineData(6, 20, false)]
    public void ACountIsCheckedAgainstTheLeastThatItsItemsTake(int count, int bytesLeft, bool fits)
    {
        byte[] source = [(byte)count, .. new byte[bytesLeft]];

        if (fits) Assert.Equal(count, new ByteReader(source, "test").Count(4, "things"));
        else Assert.Throws<DamageException>(() => new ByteReader(source, "test").Count(4, "things"));
    }

    [Fact]
    public void ANumberAboveItsLimitIsDamage()
    {
        Assert.Equal(200, new ByteReader([0xC8, 0x01], "test").Varint(200, "number"));
        Assert.Throws<DamageException>(() => new ByteReader([0xC9, 0x01], "test").Varint(200, "number"));
    }

    [Fact]
    public void WipingLeavesNothingBehind()
    {
        var writer = new ByteWriter(16);
        writer.U64(ulong.MaxValue);
        ReadOnlyMemory<byte> memory = writer.WrittenMemory;

        writer.Wipe();

        Assert.Equal(new byte[8], memory.ToArray());
        Assert.Equal(0, writer.Length);
    }
}
