using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Tests.Sealing;

public sealed class ObjectSealerTests
{
    private const string Name = "points/000102030405060708090a0b0c0d0e0f";
    private readonly ObjectSealer sealer = TestKeys.Sealer();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(100_000)]
    public void WhatIsSealedOpensAsItWas(int bytes)
    {
        byte[] body = TestKeys.Content(bytes);

        byte[] content = sealer.Seal(ObjectKind.Point, Name, body);
        (ObjectHeader header, byte[] opened) = sealer.Open(ObjectKind.Point, Name, content);

        Assert.Equal(body, opened);
        Assert.Equal(sealer.WriterId, header.WriterId);
        Assert.Equal(1U, header.Epoch);
        Assert.Equal(ObjectHeader.Size + bytes + Aead.TagBytes + Libsodium.SignatureBytes, content.Length);
    }

    [Fact]
    public void TheSameBodyIsSealedDifferentlyEachTime() =>
        Assert.NotEqual(sealer.Seal(ObjectKind.Point, Name, [1]), sealer.Seal(ObjectKind.Point, Name, [1]));

    [Fact]
    public void EveryChangedByteIsNoticed()
    {
        const int versionOffset = 8;
        byte[] content = sealer.Seal(ObjectKind.References, Name, TestKeys.Content(50));
        for (int i = 0; i < content.Length; i++)
        {
            foreach (byte flip in (byte[])[0x01, 0x80, 0xFF])
            {
                byte[] changed = [.. content];
                changed[i] ^= flip;
                Exception error = Assert.ThrowsAny<HoldfastException>(() => sealer.Open(ObjectKind.References, Name, changed));
                Assert.True(error is DamageException || i == versionOffset, $"byte {i}: {error}");
            }
        }
    }

    [Fact]
    public void EveryTruncationIsNoticed()
    {
        byte[] content = sealer.Seal(ObjectKind.Lease, Name, TestKeys.Content(50));
        for (int length = 0; length < content.Length; length++)
        {
            Assert.Throws<DamageException>(() => sealer.Open(ObjectKind.Lease, Name, content.AsSpan(0, length)));
        }

        Assert.Throws<DamageException>(() => sealer.Open(ObjectKind.Lease, Name, [.. content, 0]));
    }

    [Fact]
    public void AnObjectUnderAnotherNameIsRefused()
    {
        byte[] content = sealer.Seal(ObjectKind.Point, Name, [1, 2, 3]);

        Assert.Throws<DamageException>(() => sealer.Open(ObjectKind.Point, Name[..^1] + "e", content));
    }

    [Fact]
    public void AnObjectOfAnotherKindIsRefused()
    {
        byte[] content = sealer.Seal(ObjectKind.Point, Name, [1, 2, 3]);

        var error = Assert.Throws<DamageException>(() => sealer.Open(ObjectKind.References, Name, content));

        Assert.Contains("Point", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AWriterOfWhomNoCertificateTellsIsRefused()
    {
        KeyRing ring = sealer.Ring;
        ObjectSealer add = new(Member(ring, seed: 5), new SimulatedEntropy(6)), other = new(Member(ring, seed: 7), new SimulatedEntropy(8));
        byte[] byAdmin = sealer.Seal(ObjectKind.Point, Name, [1]), byAdd = add.Seal(ObjectKind.Point, Name, [2]);

        Assert.Equal([1], add.Open(ObjectKind.Point, Name, byAdmin).Body);
        Assert.Equal([2], add.Open(ObjectKind.Point, Name, byAdd).Body);
        var error = Assert.Throws<DamageException>(() => other.Open(ObjectKind.Point, Name, byAdd));
        Assert.Contains("whom no certificate of this vault names", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherVersionIsRefusedWithWhatReadsIt()
    {
        byte[] content = sealer.Seal(ObjectKind.Point, Name, [1]);
        content[8] = 2;

        var error = Assert.Throws<DamageException>(() => sealer.Open(ObjectKind.Point, Name, content));

        Assert.Contains("format version 2, 1 expected: damaged, or written by a newer holdfast", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEpochThatTheRingLacksIsDamageOfThatObjectAlone()
    {
        var error = Assert.Throws<DamageException>(() => sealer.Ring.Epoch(9, Name));

        Assert.Equal($"{Name}: sealed in key epoch 9, which this key does not have", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void BothCiphersOpenWhatTheySealed(int cipher)
    {
        using var aead = new Aead((CipherKind)cipher, TestKeys.Content(32));
        byte[] sealedBytes = new byte[100 + Aead.TagBytes], opened = new byte[100];

        aead.Seal(3, TestKeys.Content(100), sealedBytes, "name"u8);

        Assert.True(aead.TryOpen(3, sealedBytes, opened, "name"u8));
        Assert.Equal(TestKeys.Content(100), opened);
        Assert.False(aead.TryOpen(4, sealedBytes, opened, "name"u8));
        Assert.False(aead.TryOpen(3, sealedBytes, opened, "nam"u8));
        Assert.False(aead.TryOpen(3, sealedBytes.AsSpan(1), opened, "name"u8));
    }

    private static KeyRing Member(KeyRing admin, int seed) => new()
    {
        Role = KeyRole.Add,
        CreatedSeconds = 0,
        Label = "member",
        Epochs = admin.Epochs,
        WriterSeed = TestKeys.Ring(seed).WriterSeed,
        AdminPublicKey = admin.AdminPublicKey,
    };
}
