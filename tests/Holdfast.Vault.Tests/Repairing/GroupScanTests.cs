using Holdfast.Vault.Repairing;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Repairing;

public sealed class GroupScanTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(4096)]
    [InlineData(70_001)]
    public void AGroupEndsWhereItsTagFits(int length)
    {
        var random = new Random(length);
        byte[] key = TestKeys.Random(random, Aead.KeyBytes);
        byte[] source = TestKeys.Random(random, length + Aead.TagBytes + 500);
        using var cipher = new Aead(CipherKind.AesGcm, key);
        cipher.Seal(7, TestKeys.Random(random, length), source.AsSpan(0, length + Aead.TagBytes));
        using var scan = new GroupScan(key);
        Assert.Equal(length, scan.FindLength(7, source, 1 << 20));
        Assert.Equal(length, scan.FindLength(7, source.AsSpan(0, length + Aead.TagBytes), length));
        // Another nonce, a bit less, a broken bit, a lower limit: it ends nowhere.
        Assert.Equal(-1, scan.FindLength(8, source, 1 << 20));
        Assert.Equal(-1, scan.FindLength(7, source.AsSpan(0, length + Aead.TagBytes - 1), 1 << 20));
        Assert.Equal(-1, scan.FindLength(7, source, length - 1));
        source[random.Next(length)] ^= 1;
        Assert.Equal(-1, scan.FindLength(7, source, 1 << 20));
    }
}
