using System.Buffers.Binary;
using Holdfast.Log;
using Holdfast.Testing;
using Holdfast.Vault.Keys;

namespace Holdfast.Vault.Tests.Keys;

public sealed class KeySlotTests
{
    private const string Slot = "0123456789abcdef";
    private static readonly byte[] VaultId = TestKeys.Content(16);

    // Made once: a derivation takes a tenth of a second.
    private static readonly Lazy<byte[]> Sealed = new(() =>
    {
        using VaultSecret secret = VaultFixture.Secret();
        return KeySlot.Seal(TestKeys.Ring(), secret, VaultId, Slot, PasswordKey.DefaultPasses, new SimulatedEntropy(9));
    });

    private readonly KeyRing ring = TestKeys.Ring();

    [Fact]
    public void ARingComesBackWithAllItsKeys()
    {
        byte[] encoded = ring.Encode();
        var read = KeyRing.Decode(encoded, "test");

        Assert.Equal(encoded, read.Encode());
        Assert.Equal(KeyRole.Admin, read.Role);
        Assert.Equal("test", read.Label);
        Assert.Equal(ring.Current.DataPrivate, read.Current.DataPrivate);
        Assert.Equal(ring.WriterSeed, read.WriterSeed);
        Assert.Equal("(keys)", read.ToString());
    }

    [Fact]
    public void KeysThatARoleLacksStayAbsentAndAreAskedForByName()
    {
        KeyEpoch all = ring.Current;
        var part = new KeyRing
        {
            Role = KeyRole.Prune,
            CreatedSeconds = -1,
            Label = "",
            Epochs = [new KeyEpoch { Number = 1, Index = all.Index }, new KeyEpoch { Number = 7, Index = all.Index, TreesPublic = all.TreesPublic }],
            WriterSeed = ring.WriterSeed,
            AdminPublicKey = ring.AdminPublicKey,
        };

        var read = KeyRing.Decode(part.Encode(), "test");

        Assert.Equal(7U, read.Current.Number);
        Assert.Null(read.Current.Identity);
        Assert.Equal(all.TreesPublic, read.Current.TreesPublic);
        Assert.Equal(-1, read.CreatedSeconds);
        Assert.Equal(ErrorKind.WrongKey, Assert.Throws<HoldfastException>(() => read.Current.DataIdentity()).Kind);
    }

    [Fact]
    public void MutatedRingsAreRefusedAndNothingElseHappens()
    {
        const int seed = 17;
        var random = new Random(seed);
        byte[] encoded = ring.Encode();
        for (int i = 0; i < 5000; i++)
        {
            try
            {
                _ = KeyRing.Decode(TestKeys.Mutate(random, encoded), "test");
            }
            catch (HoldfastException)
            {
                // Refused.
            }
            catch (Exception error)
            {
                Assert.Fail($"seed {seed}, round {i}: {error}");
            }
        }
    }

    [Fact]
    public void ALabelThatIsTooLongIsRefusedBeforeItMakesASlotThatCannotBeRead()
    {
        KeyRing labelled = ring.WithLabel(new string('x', 70_000), SimulatedClock.DefaultStart);

        Assert.Equal(ErrorKind.Usage, Assert.Throws<HoldfastException>(() => labelled.Encode()).Kind);
        KeyRing longest = ring.WithLabel(new string('x', KeyRing.MaxLabelBytes), SimulatedClock.DefaultStart);
        Assert.Equal(longest.Label, KeyRing.Decode(longest.Encode(), "test").Label);
    }

    [Fact]
    public void ASlotOpensWithItsPasswordAlone()
    {
        byte[] slot = Seal();

        Assert.Equal(ring.Encode(), Open(slot)!.Encode());
        Assert.Null(Open(slot, password: "Correct horse"));
        Assert.Null(Open(slot, password: ""));
        using VaultSecret secret = VaultFixture.Secret();
        Assert.Null(KeySlot.TryOpen(slot, secret, TestKeys.Content(17).AsSpan(1), Slot));
        Assert.Null(KeySlot.TryOpen(slot, secret, VaultId, "fedcba9876543210"));
    }

    /// <summary>One byte of each field, as each try costs a derivation.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(23)]
    [InlineData(24)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(47)]
    [InlineData(48)]
    [InlineData(59)]
    [InlineData(60)]
    [InlineData(-17)]
    [InlineData(-1)]
    public void AChangedByteOpensNothing(int offset)
    {
        byte[] slot = Seal();
        slot[offset < 0 ? slot.Length + offset : offset] ^= 0x80;
        KeyRing? opened = null;
        try
        {
            opened = Open(slot);
        }
        catch (HoldfastException)
        {
            // Refused before or after the derivation.
        }

        Assert.Null(opened);
    }

    [Theory]
    [InlineData(0UL, 64UL << 20)]
    [InlineData(2UL, 64UL << 20)]
    [InlineData(65UL, 64UL << 20)]
    [InlineData(ulong.MaxValue, 64UL << 20)]
    [InlineData(3UL, (64UL << 20) - 1)]
    [InlineData(3UL, (4UL << 30) + 1)]
    [InlineData(3UL, ulong.MaxValue)]
    public void AbsurdDerivationsAreRefusedWithoutBeingTried(ulong passes, ulong memoryBytes)
    {
        byte[] slot = new byte[200];
        "HFKEYSLT"u8.CopyTo(slot);
        slot[8] = 1;
        slot[12] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(16), passes);
        BinaryPrimitives.WriteUInt64LittleEndian(slot.AsSpan(24), memoryBytes);

        var error = Assert.Throws<DamageException>(() => Open(slot));

        Assert.Contains("absurd", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASlotThatIsCutOffIsDamage()
    {
        byte[] slot = Seal();
        foreach (int length in (int[])[0, 8, 59, 60, 75]) Assert.Throws<DamageException>(() => Open(slot[..length]));
        Assert.Throws<DamageException>(() => Open(slot[..^1]));
    }

    /// <summary>A slot that rots is told of while its password, or a copy, is still at hand.</summary>
    [Fact]
    public void EachChangedOrMissingByteIsSeenWithoutThePassword()
    {
        byte[] slot = Seal();
        KeySlot.ThrowIfMalformed(slot, Slot);
        for (int i = 0; i < slot.Length; i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. slot];
                changed[i] ^= (byte)(1 << bit);
                Assert.ThrowsAny<HoldfastException>(() => KeySlot.ThrowIfMalformed(changed, Slot));
            }

            Assert.ThrowsAny<HoldfastException>(() => KeySlot.ThrowIfMalformed(slot.AsSpan(0, i), Slot));
        }
    }

    [Fact]
    public void ASecretThatWasClearedIsNotAPasswordOfZeros()
    {
        VaultSecret secret = VaultFixture.Secret();
        secret.Dispose();

        Assert.Throws<ObjectDisposedException>(() => KeySlot.Seal(ring, secret, VaultId, Slot, 3, new SimulatedEntropy(1)));
        Assert.Equal("(secret)", secret.ToString());
    }

    private static byte[] Seal() => [.. Sealed.Value];

    private static KeyRing? Open(byte[] slot, string password = "correct horse")
    {
        using VaultSecret secret = VaultFixture.Secret(password);
        return KeySlot.TryOpen(slot, secret, VaultId, Slot);
    }
}
