using Holdfast.Files;
using Holdfast.Log;
using Holdfast.Vault.Bytes;
using Holdfast.Vault.Points;
using Holdfast.Vault.Trees;

namespace Holdfast.Vault.Exporting;

/// <summary>Encodes and decodes the records of an export. Layout: docs/formats/export.md, "Records".</summary>
internal static class ExportCodec
{
    private const int ManifestKind = 1;
    private const int UnchangedKind = 2;
    private const int StepKind = 3;
    private const int DataKind = 4;
    private const int CopyKind = 5;
    private const int HoleKind = 6;
    private const int ContentEndKind = 7;
    private const int EndKind = 8;
    private const int PointKind = 9;

    private const int HasBefore = 1;
    private const int HasAfter = 2;
    private const long MaxLength = long.MaxValue >> 1;

    public static void Encode(ByteWriter writer, ManifestRecord manifest)
    {
        writer.U8(ManifestKind);
        manifest.Point.Encode(writer.Take(SessionId.Size));
        manifest.Base.Encode(writer.Take(SessionId.Size));
        EncodeTime(writer, manifest.Time);
        writer.Text(manifest.Host);
        writer.Text(manifest.Program);
        writer.Varint((ulong)manifest.Roots.Count);
        foreach (ReadOnlyMemory<byte> root in manifest.Roots) writer.ByteString(root.Span);
    }

    public static void Encode(ByteWriter writer, PointRecord record)
    {
        writer.U8(PointKind);
        writer.U8((byte)(record.IsDirectory ? 1 : 0));
        writer.Bytes(record.BaseOrigin is { } origin ? Convert.FromHexString(origin.Vault) : new byte[VaultDescriptor.IdBytes]);
        (record.BaseOrigin?.Point ?? SessionId.None).Encode(writer.Take(SessionId.Size));
        writer.ByteString(PointCodec.Encode(record.Point));
    }

    public static void Encode(ByteWriter writer, UnchangedRecord unchanged)
    {
        writer.U8(UnchangedKind);
        writer.ByteString(unchanged.Last);
        writer.Varint((ulong)unchanged.Count);
        writer.Bytes(unchanged.Digest);
    }

    public static void Encode(ByteWriter writer, StepRecord step)
    {
        writer.U8(StepKind);
        writer.U8((byte)step.Action);
        writer.ByteString(step.Path);
        writer.U8((byte)step.Change);
        writer.U8((byte)((step.Before is null ? 0 : HasBefore) | (step.After is null ? 0 : HasAfter)));
        if (step.Before is not null) EncodeState(writer, step.Before);
        if (step.After is not null) EncodeEntry(writer, step.After);
        if (step.Action == StepAction.Link) writer.ByteString(step.LinkPath);
    }

    public static void EncodeData(ByteWriter writer, ReadOnlySpan<byte> data, long repeats)
    {
        writer.U8(DataKind);
        writer.Varint((ulong)repeats);
        writer.ByteString(data);
    }

    public static void Encode(ByteWriter writer, CopyRecord copy)
    {
        writer.U8(CopyKind);
        writer.Varint((ulong)copy.Offset);
        writer.Varint((ulong)copy.Length);
        writer.Varint((ulong)copy.Repeats);
    }

    public static void Encode(ByteWriter writer, HoleRecord hole)
    {
        writer.U8(HoleKind);
        writer.Varint((ulong)hole.Length);
    }

    public static void Encode(ByteWriter writer, ContentEndRecord end)
    {
        writer.U8(ContentEndKind);
        writer.Bytes(end.Digest);
    }

    public static void Encode(ByteWriter writer, EndRecord end)
    {
        writer.U8(EndKind);
        writer.Varint((ulong)end.Steps);
        writer.Varint((ulong)end.Bytes);
    }

    /// <summary>All records of a frame. Data is not copied: it lies in the frame.</summary>
    public static List<ExportRecord> Decode(byte[] frame, string name)
    {
        try
        {
            var records = new List<ExportRecord>();
            var reader = new ByteReader(frame, name);
            while (!reader.AtEnd) records.Add(DecodeOne(ref reader, frame));
            return records;
        }
        catch (DamageException damage)
        {
            throw new HoldfastException(ErrorKind.Damage, damage.Message, "export again", damage);
        }
    }

    private static ExportRecord DecodeOne(ref ByteReader reader, byte[] frame)
    {
        int kind = reader.U8();
        switch (kind)
        {
            case ManifestKind:
                return DecodeManifest(ref reader);
            case PointKind:
                return DecodePoint(ref reader);
            case UnchangedKind:
                byte[] last = DecodePath(ref reader);
                return new UnchangedRecord(last, reader.Varint(MaxLength, "count"), reader.Bytes(ContentDigest.Size).ToArray());
            case StepKind:
                return DecodeStep(ref reader);
            case DataKind:
                long repeats = DecodePositive(ref reader, "repeats");
                int length = reader.ByteString().Length;
                if (length == 0 || repeats > MaxLength / length) throw reader.Damage($"{length} bytes, {repeats} times");
                return new DataRecord(frame.AsMemory(frame.Length - reader.Remaining - length, length), repeats);
            case CopyKind:
                long offset = reader.Varint(MaxLength, "offset");
                var copy = new CopyRecord(offset, DecodePositive(ref reader, "length"), DecodePositive(ref reader, "repeats"));
                if (copy.Repeats > MaxLength / copy.Length) throw reader.Damage($"{copy.Length} bytes, {copy.Repeats} times");
                return copy;
            case HoleKind:
                return new HoleRecord(DecodePositive(ref reader, "length"));
            case ContentEndKind:
                return new ContentEndRecord(reader.Bytes(ContentDigest.Size).ToArray());
            case EndKind:
                return new EndRecord(reader.Varint(MaxLength, "steps"), reader.Varint(MaxLength, "bytes"));
            default:
                throw reader.Damage($"record of kind {kind}");
        }
    }

    private static ManifestRecord DecodeManifest(ref ByteReader reader)
    {
        var point = SessionId.Decode(reader.Bytes(SessionId.Size));
        var basePoint = SessionId.Decode(reader.Bytes(SessionId.Size));
        UnixTime time = DecodeTime(ref reader);
        string host = reader.Text(), program = reader.Text();
        var roots = new ReadOnlyMemory<byte>[reader.Count(1, "roots")];
        for (int i = 0; i < roots.Length; i++) roots[i] = reader.ByteString().ToArray();
        return new ManifestRecord { Point = point, Base = basePoint, Time = time, Host = host, Program = program, Roots = roots };
    }

    private static PointRecord DecodePoint(ref ByteReader reader)
    {
        byte isDirectory = reader.U8();
        if (isDirectory > 1) throw reader.Damage($"{isDirectory} where 0 or 1 is expected");
        string vault = Convert.ToHexStringLower(reader.Bytes(VaultDescriptor.IdBytes));
        var basePoint = SessionId.Decode(reader.Bytes(SessionId.Size));
        RestorePoint point = PointCodec.Decode(reader.ByteString(), SessionId.None, default, byAdmin: false);
        if (point.Origin is null) throw reader.Damage("a restore point without its origin");
        return new PointRecord(point, basePoint == SessionId.None ? null : new PointOrigin(vault, basePoint), isDirectory == 1);
    }

    private static StepRecord DecodeStep(ref ByteReader reader)
    {
        var action = (StepAction)reader.U8();
        if (action is StepAction.Invalid or > StepAction.FinishDirectory) throw reader.Damage($"step of kind {(byte)action}");
        byte[] path = DecodePath(ref reader);
        var change = (ChangeKind)reader.U8();
        int parts = reader.U8();
        var step = new StepRecord(action, path)
        {
            Change = change,
            Before = (parts & HasBefore) != 0 ? DecodeState(ref reader) : null,
            After = (parts & HasAfter) != 0 ? DecodeEntry(ref reader, path) : null,
            LinkPath = action == StepAction.Link ? DecodePath(ref reader) : [],
        };
        CheckStep(step, ref reader);
        return step;
    }

    /// <summary>What a step of each kind must and must not have, so that nobody who carries it out has to ask.</summary>
    private static void CheckStep(StepRecord step, ref ByteReader reader)
    {
        NodeKind after = step.After?.Attributes.Kind ?? NodeKind.None;
        bool isWhole = step.Action switch
        {
            StepAction.MakeDirectory => after == NodeKind.Directory && step.Before is not { IsDirectory: true },
            StepAction.EnterDirectory => after == NodeKind.None && step.Before is null,
            StepAction.Write => after == NodeKind.Regular,
            StepAction.Attributes => step.Before is { IsDirectory: false } before && after == before.Kind,
            StepAction.Link => after is not (NodeKind.None or NodeKind.Directory) && step.LinkPath.Length > 0,
            StepAction.CreateOther => after is not (NodeKind.None or NodeKind.Directory or NodeKind.Regular),
            StepAction.Delete => after == NodeKind.None && step.Before is { IsDirectory: false },
            StepAction.DeleteDirectory => after == NodeKind.None && step.Before is null,
            StepAction.FinishDirectory => after == NodeKind.Directory && step.Before is null,
            _ => false,
        };
        if (!isWhole) throw reader.Damage($"step {step.Action} at {BytePath.Display(step.Path)} does not fit what it says of before and after");
        // Only attributes can be given to the top: it is the directory that the export is applied to.
        if (step.Path.Length == 0 && step.Action != StepAction.FinishDirectory) throw reader.Damage($"step {step.Action} without a path");
    }

    private static void EncodeState(ByteWriter writer, KnownState state)
    {
        writer.U8((byte)state.Kind);
        if (state.IsDirectory) return;
        writer.Varint((ulong)state.Size);
        EncodeTime(writer, state.ModifyTime);
        writer.ByteString(state.Digest);
        writer.ByteString(state.Target);
    }

    private static KnownState DecodeState(ref ByteReader reader)
    {
        NodeKind kind = DecodeKind(ref reader);
        if (kind == NodeKind.Directory) return new KnownState(kind, 0, default, [], []);
        long size = reader.Varint(MaxLength, "size");
        UnixTime time = DecodeTime(ref reader);
        byte[] digest = reader.ByteString().ToArray(), target = reader.ByteString().ToArray();
        if (digest.Length is not (0 or ContentDigest.Size)) throw reader.Damage($"digest of {digest.Length} bytes");
        return new KnownState(kind, size, time, digest, target);
    }

    private static void EncodeEntry(ByteWriter writer, TreeEntry entry)
    {
        NodeAttributes attributes = entry.Attributes;
        writer.U8((byte)attributes.Kind);
        writer.Varint(attributes.Mode);
        writer.Varint(attributes.Uid);
        writer.Varint(attributes.Gid);
        writer.ByteString(entry.UserName);
        writer.ByteString(entry.GroupName);
        EncodeTime(writer, attributes.ModifyTime);
        writer.Varint((ulong)entry.Xattrs.Length);
        foreach (Xattr xattr in entry.Xattrs)
        {
            writer.ByteString(xattr.Name);
            writer.ByteString(xattr.Value);
        }

        if (attributes.Kind == NodeKind.Regular) writer.Varint((ulong)attributes.Size);
        if (attributes.Kind == NodeKind.Symlink) writer.ByteString(entry.Target);
        if (attributes.Kind is not (NodeKind.CharacterDevice or NodeKind.BlockDevice)) return;
        writer.Varint(attributes.DeviceMajor);
        writer.Varint(attributes.DeviceMinor);
    }

    private static TreeEntry DecodeEntry(ref ByteReader reader, byte[] path)
    {
        var attributes = new NodeAttributes
        {
            Kind = DecodeKind(ref reader),
            Mode = (uint)reader.Varint(4095, "mode"),
            Uid = (uint)reader.Varint(uint.MaxValue, "user id"),
            Gid = (uint)reader.Varint(uint.MaxValue, "group id"),
            LinkCount = 1,
        };
        byte[] user = reader.ByteString().ToArray(), group = reader.ByteString().ToArray();
        attributes.ModifyTime = DecodeTime(ref reader);
        var xattrs = new Xattr[reader.Count(2, "extended attributes")];
        for (int i = 0; i < xattrs.Length; i++) xattrs[i] = new Xattr(reader.ByteString().ToArray(), reader.ByteString().ToArray());
        byte[]? target = null;
        if (attributes.Kind == NodeKind.Regular) attributes.Size = reader.Varint(MaxLength, "size");
        if (attributes.Kind == NodeKind.Symlink)
        {
            target = reader.ByteString().ToArray();
            if (target.Length == 0 || target.Contains((byte)0)) throw reader.Damage("a symlink's target is empty or holds NUL");
            attributes.Size = target.Length;
        }

        if (attributes.Kind is NodeKind.CharacterDevice or NodeKind.BlockDevice)
        {
            attributes.DeviceMajor = (uint)reader.Varint(uint.MaxValue, "major number");
            attributes.DeviceMinor = (uint)reader.Varint(uint.MaxValue, "minor number");
        }

        return new TreeEntry
        {
            Name = BytePath.FileName(path).ToArray(),
            Attributes = attributes,
            UserName = user.Length == 0 ? null : user,
            GroupName = group.Length == 0 ? null : group,
            Xattrs = xattrs,
            Target = target,
        };
    }

    private static NodeKind DecodeKind(ref ByteReader reader)
    {
        var kind = (NodeKind)reader.U8();
        return kind is NodeKind.None or NodeKind.Socket or > NodeKind.BlockDevice ? throw reader.Damage($"entry of kind {(byte)kind}") : kind;
    }

    /// <summary>A relative path, each name of which may stand in a directory: nothing leads out of the target.</summary>
    private static byte[] DecodePath(ref ByteReader reader)
    {
        byte[] path = reader.ByteString().ToArray();
        if (path.Length == 0) return path;
        foreach (Range part in path.AsSpan().Split((byte)'/'))
        {
            bool isValid = DirectoryCodec.IsValidName(path.AsSpan()[part], isPointRoot: false);
            if (!isValid) throw reader.Damage($"\"{BytePath.Display(path)}\" is no path for an entry");
        }

        return path;
    }

    private static long DecodePositive(ref ByteReader reader, string what)
    {
        long value = reader.Varint(MaxLength, what);
        return value > 0 ? value : throw reader.Damage($"{what} 0");
    }

    private static void EncodeTime(ByteWriter writer, UnixTime time)
    {
        writer.SignedVarint(time.Seconds);
        writer.Varint((ulong)time.Nanoseconds);
    }

    private static UnixTime DecodeTime(ref ByteReader reader) => new(reader.SignedVarint(), (int)reader.Varint(999_999_999, "nanoseconds"));
}
