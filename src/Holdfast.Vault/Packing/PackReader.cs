using Holdfast.Storage;
using Holdfast.Vault.Sealing;

namespace Holdfast.Vault.Packing;

/// <summary>Reads packs from the store: footers, and groups opened and verified. May be used from any thread.</summary>
internal sealed class PackReader(IObjectStore store, ObjectSealer sealer)
{
    // One read fetches the footers of most packs: some 1,700 chunks.
    private const int FirstReadBytes = 64 << 10;

    public IObjectStore Store => store;

    /// <summary>Reads and verifies a pack's footer; null when the store has no such pack.</summary>
    public async Task<PackFooter?> TryReadFooterAsync(PackId pack, CancellationToken cancellationToken)
    {
        string name = pack.ObjectName;
        if (await store.StatAsync(name, cancellationToken).ConfigureAwait(false) is not { } stat) return null;
        if (stat.Length is < PackFooter.BodyOffset + Libsodium.SignatureBytes + PackFooter.EndBytes or > PackFooter.MaxPackBytes)
        {
            throw new DamageException(name, $"{stat.Length} bytes, which no pack has");
        }

        int packBytes = (int)stat.Length;
        byte[] head = new byte[PackFooter.BodyOffset];
        byte[] tail = new byte[Math.Min(packBytes, FirstReadBytes)];
        if (!await TryReadAsync(name, 0, head, cancellationToken).ConfigureAwait(false)) return null;
        if (!await TryReadAsync(name, packBytes - tail.Length, tail, cancellationToken).ConfigureAwait(false)) return null;
        int footerBytes = PackFooter.DecodeEnd(
            tail.AsSpan(tail.Length - PackFooter.EndBytes), PackFooter.EndMagic,
            packBytes - PackFooter.BodyOffset - Libsodium.SignatureBytes - PackFooter.EndBytes, name);
        int needed = footerBytes + Libsodium.SignatureBytes + PackFooter.EndBytes;
        if (needed > tail.Length)
        {
            tail = new byte[needed];
            if (!await TryReadAsync(name, packBytes - needed, tail, cancellationToken).ConfigureAwait(false)) return null;
        }

        return Decode(pack, packBytes, head, tail.AsMemory(tail.Length - needed), footerBytes);
    }

    /// <summary>One of a pack's keys; needs the private half that it is sealed to.</summary>
    /// <param name="footer">The pack.</param>
    /// <param name="number">0 for its own, or that of a further one.</param>
    public byte[] OpenKey(PackFooter footer, int number)
    {
        string name = footer.Pack.ObjectName;
        (uint epochNumber, byte[] sealedKey) = number == 0
            ? (footer.Epoch, footer.SealedKey)
            : (footer.FurtherKeys[number - 1].Epoch, footer.FurtherKeys[number - 1].SealedKey);
        Keys.KeyEpoch epoch = sealer.Ring.Epoch(epochNumber, name);
        byte[] key = new byte[Aead.KeyBytes];
        if (!Libsodium.TryBoxOpen(sealedKey, epoch.PackPublicKey(footer.Pack.Kind), epoch.PackPrivateKey(footer.Pack.Kind), key))
        {
            throw new DamageException(name, number == 0 ? "its sealed key cannot be opened" : $"its sealed key {number} cannot be opened");
        }

        return key;
    }

    /// <summary>Reads sealed bytes of consecutive groups in one request.</summary>
    public async Task ReadSealedAsync(PackFooter footer, int offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        string name = footer.Pack.ObjectName;
        int? read = await store.ReadAsync(name, offset, target, cancellationToken).ConfigureAwait(false);
        if (read is null) throw DamageException.Missing(name);
        if (read != target.Length) throw new DamageException(name, $"ends at byte {offset + read}, {footer.PackBytes} bytes expected");
    }

    /// <summary>Opens a sealed group. False when its seal or its coding is broken.</summary>
    /// <param name="cipher">Under the group's key: <see cref="PackCiphers"/>.</param>
    /// <param name="decompressor">The thread's own.</param>
    /// <param name="group">Which group.</param>
    /// <param name="sealedBytes">Its bytes from the store; overwritten.</param>
    /// <param name="raw">Receives the content: exactly the group's raw size.</param>
    public static bool TryOpenGroup(Aead cipher, Decompressor decompressor, in PackGroup group, Span<byte> sealedBytes, Span<byte> raw)
    {
        if (group.Coding == GroupCoding.Raw) return cipher.TryOpen((uint)group.Nonce, sealedBytes, raw);
        // In place: AEADs of .NET allow source and target to be the same memory.
        Span<byte> coded = sealedBytes[..^Aead.TagBytes];
        return cipher.TryOpen((uint)group.Nonce, sealedBytes, coded) && decompressor.TryDecompress(coded, raw);
    }

    /// <summary>Says that a group does not open.</summary>
    public static DamageException BrokenGroup(PackFooter footer, int groupIndex) =>
        new(footer.Pack.ObjectName, $"byte {footer.Groups[groupIndex].Offset}: the seal of group {groupIndex} is broken");

    /// <summary>Says that a chunk is not what its id says.</summary>
    public static DamageException BrokenChunk(PackFooter footer, int ordinal) =>
        new(footer.Pack.ObjectName, $"chunk {ordinal} is not what its id says");

    private PackFooter Decode(PackId pack, int packBytes, byte[] head, ReadOnlyMemory<byte> tail, int footerBytes)
    {
        string name = pack.ObjectName;
        ObjectHeader header = ObjectHeader.Decode(head, pack.Kind, name);
        ReadOnlySpan<byte> encodedHeader = head.AsSpan(0, ObjectHeader.Size);
        ReadOnlySpan<byte> sealedKey = head.AsSpan(ObjectHeader.Size, PackFooter.SealedKeyBytes);
        ReadOnlySpan<byte> sealedFooter = tail.Span[..footerBytes];
        sealer.VerifySignature(
            header, name, encodedHeader, sealedKey, sealedFooter, tail.Span.Slice(footerBytes, Libsodium.SignatureBytes));
        if (footerBytes < Aead.TagBytes) throw new DamageException(name, "its footer is too short");
        byte[] plain = new byte[footerBytes - Aead.TagBytes];
        using Aead cipher = sealer.IndexCipher(header, name);
        if (!cipher.TryOpen(0, sealedFooter, plain, ObjectSealer.Associated(encodedHeader, name)))
        {
            throw new DamageException(name, "the seal of its footer is broken");
        }

        var body = PackBody.Decode(plain, packBytes - PackFooter.BodyOffset - tail.Length, name);
        return new PackFooter
        {
            Pack = pack,
            WriterId = header.WriterId,
            Epoch = header.Epoch,
            Cipher = header.Cipher,
            KeyId = header.KeyId,
            SealedKey = sealedKey.ToArray(),
            PackBytes = packBytes,
            FooterBytes = footerBytes,
            FurtherKeys = body.FurtherKeys,
            Groups = body.Groups,
            Chunks = body.Chunks,
        };
    }

    private async Task<bool> TryReadAsync(string name, long offset, Memory<byte> target, CancellationToken cancellationToken)
    {
        int? read = await store.ReadAsync(name, offset, target, cancellationToken).ConfigureAwait(false);
        if (read is null) return false;
        if (read != target.Length) throw new DamageException(name, $"ends at byte {offset + read}");
        return true;
    }
}
